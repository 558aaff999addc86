/*
 * launch COMMAND ARG...
 *
 * Runs a command with its output into a pipe, reads the pipe to its end and
 * prints what it took as one line of JSON. A process of its own because Linux
 * counts the memory of whoever starts a program into that program's ru_maxrss
 * (exec keeps the old high-water mark): started by Node, everything would
 * peak at Node's size or more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char buffer[1 << 16];

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(error));
	exit(1);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	long long start, first = 0, end, bytes = 0;
	struct rusage usage;
	int pipefd[2], status, error;
	ssize_t count;
	pid_t pid;

	if (argc < 2) {
		fputs("usage: launch COMMAND ARG...\n", stderr);
		return 2;
	}
	if (pipe2(pipefd, O_CLOEXEC))
		fail("pipe", errno);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipefd[1], 1);

	start = now();
	error = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
	if (error)
		fail(argv[1], error);
	close(pipefd[1]);
	while ((count = read(pipefd[0], buffer, sizeof(buffer))) > 0) {
		if (!first)
			first = now();
		bytes += count;
	}
	wait4(pid, &status, 0, &usage);
	end = now();

	printf("{\"exitCode\":%d,\"bytes\":%lld,\"firstByteNs\":%lld,\"wallNs\":%lld,\"peakKiB\":%ld}\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), bytes,
	       first ? first - start : -1, end - start, usage.ru_maxrss);
	return 0;
}
