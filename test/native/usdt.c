// Fires static probes, whose notes are written as SystemTap's macros write them:
// for each line of input prints the semaphore and fires both places of the probe.
#include <stdio.h>

#define TEXT(x) #x
#define PROBE(provider, name, semaphore, arguments, ...)                                      \
	__asm__ volatile("990: nop\n"                                                         \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n"                         \
			 ".balign 4\n"                                                        \
			 ".4byte 992f-991f, 994f-993f, 3\n"                                   \
			 "991: .asciz \"stapsdt\"\n"                                          \
			 "992: .balign 4\n"                                                   \
			 "993: .8byte 990b, stapsdt_base, " semaphore "\n"                    \
			 ".asciz \"" TEXT(provider) "\", \"" TEXT(name) "\", \"" arguments "\"\n" \
			 "994: .balign 4\n"                                                   \
			 ".popsection\n" ::__VA_ARGS__)

__asm__(".pushsection .stapsdt.base,\"a\"\n"
	".hidden stapsdt_base\n"
	"stapsdt_base: .space 1\n"
	".popsection\n");

__attribute__((section(".probes"), used)) volatile unsigned short semaphore = 0;

__attribute__((noinline)) void in_registers(int number, const char *text, unsigned char small)
{
	PROBE(btfkit, fired, "semaphore", "-4@%[number] 8@%[text] -2@$-77 1@%[small]", [number] "r"(number),
	      [text] "r"(text), [small] "r"(small));
}

__attribute__((noinline)) void in_memory(int number, const char *text, unsigned char small)
{
	volatile int number_in_memory = number;
	const char *volatile text_in_memory = text;

	PROBE(btfkit, fired, "semaphore", "-4@%[number] 8@%[text] -2@$-77 1@%[small]", [number] "m"(number_in_memory),
	      [text] "m"(text_in_memory), [small] "r"(small));
}

__attribute__((noinline)) void without_arguments(void)
{
	PROBE(btfkit, plain, "0", "");
}

#ifndef LIBRARY
int main(void)
{
	for (int c; (c = getchar()) != EOF;) {
		if (c != '\n')
			continue;
		in_registers(-5, "registers", 200);
		in_memory(6, "memory", 201);
		without_arguments();
		printf("%d\n", semaphore);
		fflush(stdout);
	}
	return 0;
}
#endif
