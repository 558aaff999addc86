/**
 * Where the arguments of a static probe are, in the form that the functions of
 * usdt.bpf.h read: `struct __bpf_usdt_spec`. Source: libbpf's usdt.c and usdt.bpf.h.
 */
import type { Architecture } from "../syscall-numbers.js";

/** Arguments that a spec has room for. */
const MOST = 12;
const ARGUMENT_SIZE = 16;
const COOKIE_OFFSET = MOST * ARGUMENT_SIZE;
const COUNT_OFFSET = COOKIE_OFFSET + 8;
/** Of `struct __bpf_usdt_spec`, in bytes. */
export const SPEC_SIZE = COUNT_OFFSET + 8;

/** `enum __bpf_usdt_arg_type` */
const CONSTANT = 0;
const REGISTER = 1;
const MEMORY = 2;
const INDEXED = 3;

/** Where one argument is. Offsets of registers are those in `struct pt_regs`, in bytes. */
interface Place {
  readonly type: number;
  /** The constant, or what is added to the address. */
  readonly value: bigint;
  readonly register?: number;
  readonly index?: number;
  /** The index is shifted by so many bits. */
  readonly shift?: number;
}

type ReadPlace = (text: string) => Place | undefined;

const PLACES: Readonly<Record<Architecture, ReadPlace>> = {
  x64: (text) => {
    const constant = /^\$(-?(?:0x[\da-f]+|\d+))$/i.exec(text);
    if (constant) return { type: CONSTANT, value: integer(constant[1]!) };
    const plain = /^%(\w+)$/.exec(text);
    if (plain) return onRegister(REGISTER, 0n, x64Register(plain[1]!));
    const memory = /^(-?(?:0x[\da-f]+|\d+))?\(%(\w+)(?:,%(\w+)(?:,([1248]))?)?\)$/i.exec(text.replaceAll(" ", ""));
    if (!memory) return undefined;
    const [, offset = "0", base, index, scale = "1"] = memory;
    const place = onRegister(MEMORY, integer(offset), x64Register(base!));
    if (!place || index === undefined) return place;
    const other = x64Register(index);
    return other === undefined ? undefined : { ...place, type: INDEXED, index: other, shift: Math.log2(Number(scale)) };
  },
  arm64: (text) => {
    if (/^-?(0x[\da-f]+|\d+)$/i.test(text)) return { type: CONSTANT, value: integer(text) };
    const plain = /^[\da-z]+$/.exec(text);
    if (plain) return onRegister(REGISTER, 0n, arm64Register(text));
    const memory = /^\[([\da-z]+)(?:,(-?(?:0x[\da-f]+|\d+)))?\]$/i.exec(text.replaceAll(" ", ""));
    return memory ? onRegister(MEMORY, integer(memory[2] ?? "0"), arm64Register(memory[1]!)) : undefined;
  },
};

const onRegister = (type: number, value: bigint, register: number | undefined): Place | undefined =>
  register === undefined ? undefined : { type, value, register };

const integer = (text: string): bigint => (text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text));

/** In the order of `struct pt_regs`. */
const X64_REGISTERS = "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp".split(" ");

function x64Register(name: string): number | undefined {
  const plain = /^r\d/.test(name)
    ? name.replace(/[dwb]$/, "")
    : name
        .replace(/^[re](?=..$)/, "")
        .replace(/^([abcd])l$/, "$1x")
        .replace(/^(si|di|bp|sp)l$/, "$1");
  const at = X64_REGISTERS.indexOf(plain);
  return at < 0 ? undefined : at * 8;
}

function arm64Register(name: string): number | undefined {
  if (name === "sp") return 31 * 8;
  const [, number] = /^[xw](\d+)$/.exec(name) ?? [];
  return number === undefined || Number(number) > 30 ? undefined : Number(number) * 8;
}

/**
 * Returns the spec of a probe's arguments, written `SIZE@PLACE` one after the
 * other: a negative size is of a signed integer.
 *
 * @param cookie what `bpf_usdt_cookie` returns
 * @throws RangeError for arguments that libbpf does not take either
 */
export function usdtSpec(text: string, cookie: bigint, architecture: Architecture): Uint8Array {
  const bytes = new Uint8Array(SPEC_SIZE);
  const view = new DataView(bytes.buffer);
  // A space may stand inside of brackets.
  const list = [...text.matchAll(/(-?\d+)(?:f)?@((?:\[[^\]]*\]|\([^)]*\)|[^\s[(])+)/g)];
  const rest = text.replaceAll(/(-?\d+)(?:f)?@((?:\[[^\]]*\]|\([^)]*\)|[^\s[(])+)/g, "").trim();
  if (rest) throw new RangeError(`arguments "${text}": "${rest}" is no argument`);
  if (list.length > MOST) throw new RangeError(`${list.length} arguments: ${MOST} at most`);
  for (const [i, [all, sizeText, placeText]] of list.entries()) {
    const size = Number(sizeText);
    const place = PLACES[architecture](placeText!);
    if (!place || ![1, 2, 4, 8].includes(Math.abs(size)))
      throw new RangeError(`argument "${all}" is at a place that programs cannot read`);
    const at = i * ARGUMENT_SIZE;
    view.setBigInt64(at, BigInt.asIntN(64, place.value), true);
    view.setUint32(at + 8, place.type | ((place.index ?? 0) << 8) | ((place.shift ?? 0) << 20), true);
    view.setInt16(at + 12, place.register ?? 0, true);
    view.setUint8(at + 14, size < 0 ? 1 : 0);
    view.setUint8(at + 15, 64 - Math.abs(size) * 8);
  }
  view.setBigUint64(COOKIE_OFFSET, BigInt.asUintN(64, cookie), true);
  view.setInt16(COUNT_OFFSET, list.length, true);
  return bytes;
}
