// Loads BTF images into the running kernel. Standard input: for each image its
// length (u32) and its bytes. Standard output: for each a line with 0 or the
// error number, a tab, and the last line of the kernel's log.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>

static char log_text[1 << 26];

int main(void)
{
	unsigned int size;

	while (fread(&size, 4, 1, stdin) == 1) {
		char *image = malloc(size + 1);
		union bpf_attr attr;
		char *last = log_text;
		int fd, error;

		if (!image || fread(image, 1, size, stdin) != size)
			return 1;
		memset(&attr, 0, sizeof(attr));
		log_text[0] = 0;
		attr.btf = (unsigned long)image;
		attr.btf_size = size;
		attr.btf_log_buf = (unsigned long)log_text;
		attr.btf_log_size = sizeof(log_text);
		attr.btf_log_level = 1;
		fd = syscall(__NR_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
		error = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
		if (error) {
			size_t length = strlen(log_text);

			while (length && log_text[length - 1] == '\n')
				log_text[--length] = 0;
			last = strrchr(log_text, '\n');
			last = last ? last + 1 : log_text;
		} else {
			log_text[0] = 0;
		}
		printf("%d\t%s\n", error, last);
		free(image);
	}
	return 0;
}
