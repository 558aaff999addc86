// The first process of a kernel under QEMU: mounts what the tests need, brings
// the loopback interface up, loads modules, runs Node on /guest.mjs with its
// output on the second serial port, and powers off.
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void attach(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL))
		perror(path);
}

static void loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		perror("lo");
	close(fd);
}

static void module(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0))
		perror(path);
	close(fd);
}

int main(void)
{
	char *environment[] = { "PATH=/bin", "HOME=/tmp", "NODE_COMPILE_CACHE=", NULL };
	char *arguments[] = { "node", "/guest.mjs", NULL };
	int status = -1, fd;
	pid_t child;

	attach("proc", "/proc");
	attach("sysfs", "/sys");
	attach("devtmpfs", "/dev");
	attach("tmpfs", "/tmp");
	attach("bpf", "/sys/fs/bpf");
	attach("tracefs", "/sys/kernel/tracing");
	attach("cgroup2", "/sys/fs/cgroup");
	loopback();
	module("/module.ko");
	fd = open("/dev/ttyS1", O_WRONLY | O_NOCTTY);
	child = fork();
	if (!child) {
		setsid();
		dup2(fd, 1);
		dup2(fd, 2);
		execve("/bin/node", arguments, environment);
		_exit(127);
	}
	waitpid(child, &status, 0);
	dprintf(fd, "exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	fsync(fd);
	sync();
	reboot(RB_AUTOBOOT);
	return 0;
}
