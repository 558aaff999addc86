/** The fixed text of a header: what stands before and behind the types (bpftool's dump_btf_c). */

export interface FrameOptions {
  /** Name of the include guard. */
  readonly guard: string;
  /** Wrap the types in `preserve_access_index`, which makes programs relocatable (CO-RE). */
  readonly preserveAccessIndex: boolean;
}

export function prologue({ guard, preserveAccessIndex }: FrameOptions): string {
  return `#ifndef ${guard}
#define ${guard}

${
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

export function epilogue({ guard, preserveAccessIndex }: FrameOptions): string {
  return `${
    preserveAccessIndex
      ? `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

`
      : ""
  }#endif /* ${guard} */
`;
}
