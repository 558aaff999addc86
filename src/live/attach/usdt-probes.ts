/** Static probes of executables and libraries (USDT): the notes that SystemTap's macros leave. Source: libbpf's usdt.c. */
import { BtfLookupError } from "../../errors/error.js";
import { ERR_LIVE_ATTACH } from "../../errors/live.js";
import { type Binary, fileOffset, readBinary, textAt } from "./binary.js";

const NOTES = ".note.stapsdt";
/** Marks where the notes' addresses count from, in a file whose addresses were moved later. */
const BASE = ".stapsdt.base";
const NOTE_NAME = "stapsdt";
const NOTE_TYPE = 3;

/** One place of a probe; compilers may make several of one in the source. */
export interface UsdtProbe {
  /** Of the instruction, in bytes from the start of the file. */
  readonly byteOffset: bigint;
  /** Of the counter that turns the probe on, in bytes from the start of the file; 0 for none. */
  readonly semaphoreOffset: bigint;
  /** Where the arguments are, as the assembler wrote it: `-4@%eax 8@-16(%rbp)`. */
  readonly arguments: string;
}

interface Note {
  readonly address: bigint;
  readonly base: bigint;
  readonly semaphore: bigint;
  readonly provider: string;
  readonly name: string;
  readonly arguments: string;
}

/**
 * Finds the places of a probe in a file.
 *
 * @throws BtfLookupError ERR_LIVE_ATTACH
 */
export function findUsdtProbes(program: string, path: string, provider: string, name: string): UsdtProbe[] {
  const refuse = (note: string): never => {
    throw new BtfLookupError(ERR_LIVE_ATTACH, { name: program, note });
  };
  return readBinary(program, path, (binary) => {
    const notes = readNotes(binary);
    if (notes.length === 0) return refuse(`${path} has no static probes (section ${NOTES})`);
    const wanted = notes.filter((note) => note.provider === provider && note.name === name);
    if (wanted.length === 0) {
      const known = [...new Set(notes.map((note) => `${note.provider}:${note.name}`))];
      return refuse(`${path} has no probe "${provider}:${name}"; it has ${known.slice(0, 20).join(", ")}`);
    }
    const base = binary.sections.find((section) => section.name === BASE)?.address ?? 0n;
    return wanted.map((note) => {
      const address = base && note.base ? note.address + base - note.base : note.address;
      const code = binary.segmentAt(address);
      if (!code?.isExecutable) return refuse(`${path}: probe "${provider}:${name}" lies in no code`);
      const data = note.semaphore ? binary.segmentAt(note.semaphore) : undefined;
      if (note.semaphore && (!data || data.isExecutable))
        return refuse(`${path}: the semaphore of probe "${provider}:${name}" lies in no data`);
      return {
        byteOffset: fileOffset(code, address),
        semaphoreOffset: data ? fileOffset(data, note.semaphore) : 0n,
        arguments: note.arguments,
      };
    });
  });
}

function readNotes({ sections, view, bytes }: Binary): Note[] {
  const section = sections.find(({ name }) => name === NOTES);
  const notes: Note[] = [];
  if (!section) return notes;
  const end = section.offset + section.size;
  for (let at = section.offset; at + 12 <= end; ) {
    const [nameSize, size, type] = [0, 4, 8].map((field) => view.getUint32(at + field, true)) as [
      number,
      number,
      number,
    ];
    const start = at + 12 + padded(nameSize);
    const isProbe = type === NOTE_TYPE && textAt(bytes, at + 12, at + 12 + nameSize) === NOTE_NAME && size >= 24;
    at = start + padded(size);
    if (!isProbe) continue;
    const [address, base, semaphore] = [0, 8, 16].map((field) => view.getBigUint64(start + field, true)) as [
      bigint,
      bigint,
      bigint,
    ];
    const limit = start + size;
    const provider = textAt(bytes, start + 24, limit);
    const nameAt = start + 24 + provider.length + 1;
    const name = textAt(bytes, nameAt, limit);
    const rest = textAt(bytes, nameAt + name.length + 1, limit);
    notes.push({ address, base, semaphore, provider, name, arguments: rest });
  }
  return notes;
}

const padded = (size: number): number => (size + 3) & ~3;
