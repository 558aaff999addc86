/** The fixed text of a header: what stands before and behind the types (bpftool's dump_btf_c). */

export interface FrameOptions {
  /** Name of the include guard. */
  readonly guard: string;
  /** Wrap the types in `preserve_access_index`, which makes programs relocatable (CO-RE). */
  readonly preserveAccessIndex: boolean;
  /** Those of C23's keywords that are names in the header. */
  readonly keywords: readonly string[];
}

/** Keywords that C23 has and C17 has not: `typedef _Bool bool` and `enum { false, true }` of kernels do not compile there. */
export const C23_KEYWORDS = [
  "alignas",
  "alignof",
  "bool",
  "constexpr",
  "false",
  "nullptr",
  "static_assert",
  "thread_local",
  "true",
  "typeof_unqual",
] as const;

/** C23 by its final number, and by that of its drafts in compilers that had the keywords by then. */
const IN_C23 = "#if __STDC_VERSION__ > 201710L && (__GNUC__ > 12 || __clang_major__ > 14)";

function c23(keywords: readonly string[], line: (keyword: string) => string): string {
  return keywords.length > 0 ? `${IN_C23}\n${keywords.map(line).join("")}#endif\n\n` : "";
}

export function prologue({ guard, preserveAccessIndex, keywords }: FrameOptions): string {
  return `#ifndef ${guard}
#define ${guard}

${c23(keywords, (keyword) => `#define ${keyword} ${keyword}___c23\n`)}${
  preserveAccessIndex
    ? `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`
    : ""
}#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif

`;
}

export const KFUNCS_START = "\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n";
export const KFUNCS_END = "#endif\n\n";

export function epilogue({ guard, preserveAccessIndex, keywords }: FrameOptions): string {
  return `${
    preserveAccessIndex
      ? `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

`
      : ""
  }${c23(keywords, (keyword) => `#undef ${keyword}\n`)}#endif /* ${guard} */
`;
}
