/**
 * What the page and the worker say to each other. The worker holds every Btf, which no other thread can read: the page
 * asks, and gets plain data.
 */
import type { Kind } from "btfkit";
import type { ArchivedKernel as LibraryKernel } from "btfkit/archive";
import type { DefinitionKind } from "btfkit/inspect";

/** A type of an opened kernel. Ids of modules overlap: `image` says whose it is, 0 being the kernel's own. */
export interface TypeRef {
  readonly kernel: number;
  readonly image: number;
  readonly id: number;
}

/** A file to open: chosen or dropped, or where to get it. */
export type FileSource =
  | { readonly name: string; readonly blob: Blob }
  | { readonly name: string; readonly url: string; readonly modules?: readonly { name: string; url: string }[] }
  | { readonly name: string; readonly folder: readonly FolderFile[] };

/** A file of a folder that was chosen or dropped. */
export interface FolderFile {
  /** From the folder on, without its name. */
  readonly path: string;
  readonly blob: Blob;
}

export interface KindCount {
  readonly kind: Kind;
  readonly count: number;
}

/** An opened kernel, module or object's BTF. */
export interface KernelInfo {
  readonly kernel: number;
  /** The file's name. */
  readonly name: string;
  /** The release, such as `6.12.95-amd64`, where the file tells. */
  readonly release: string | undefined;
  readonly architecture: string | undefined;
  /** 12 hexadecimal digits that are the same wherever this BTF is opened: links hold it. */
  readonly identity: string;
  readonly types: number;
  readonly byteLength: number;
  readonly endian: "little" | "big";
  readonly pointerSize: 4 | 8;
  readonly kinds: readonly KindCount[];
  /** Names of the images: the file itself, then its modules. */
  readonly images: readonly string[];
  /** What was opened on the way: `deb`, `xz`, `bzImage`. */
  readonly steps: readonly string[];
  /** Modules that were left out, and why. */
  readonly skipped: readonly string[];
  /** Milliseconds that opening took. */
  readonly milliseconds: number;
}

/** A BPF object, for the matrix of checks. */
export interface ObjectInfo {
  readonly object: number;
  readonly name: string;
  readonly programs: number;
  readonly byteLength: number;
}

/** An archive of kernels, none of which is opened by that. */
export interface ArchiveInfo {
  readonly archive: number;
  readonly name: string;
  readonly kernels: readonly ArchivedKernel[];
}

export type ArchivedKernel = Pick<LibraryKernel, "id" | "release" | "distribution" | "architecture">;

export interface Opened {
  readonly kernel?: KernelInfo;
  readonly object?: ObjectInfo;
  readonly archive?: ArchiveInfo;
}

/** What is searched: `text` in names; the rest are conditions that all hold. */
export interface Query {
  readonly kernel: number;
  readonly text: string;
  readonly kinds: readonly Kind[];
  readonly conditions: readonly Condition[];
}

export type Condition =
  | { readonly what: "size" | "holes"; readonly from: number; readonly to: number }
  | { readonly what: "embeds" | "points-to" | "takes" | "returns" | "member" | "file"; readonly name: string };

export interface ResultRow {
  readonly ref: TypeRef;
  readonly kind: Kind;
  readonly name: string;
  /** Bytes, members, or whatever tells it from others of its name. */
  readonly detail: string;
}

export interface SearchResult {
  /** Rows are asked for with it. */
  readonly token: number;
  readonly total: number;
  readonly first: readonly ResultRow[];
  readonly kinds: readonly KindCount[];
  readonly milliseconds: number;
}

/** A piece of C: text, and the type that it names. */
export interface CodePiece {
  readonly text: string;
  readonly link?: TypeRef;
  readonly role?: "keyword" | "comment" | "number";
}

export interface LayoutFacts {
  readonly byteSize: number;
  readonly cachelines: number;
  readonly members: number;
  readonly holes: number;
  readonly holeBytes: number;
  readonly bitHoles: number;
  readonly holeBits: number;
  readonly paddingBytes: number;
  readonly alignment: number;
  readonly isPacked: boolean;
  /** Size in the best order, if that is smaller. */
  readonly packsTo: number | undefined;
}

export interface TypePage {
  readonly ref: TypeRef;
  readonly kind: Kind;
  readonly name: string;
  /** `struct task_struct`. */
  readonly title: string;
  readonly file: string;
  /** Other definitions of its name and kind. */
  readonly others: readonly TypeRef[];
  readonly code: readonly CodePiece[];
  /** For structs, unions, and typedefs of them. */
  readonly layout: LayoutFacts | undefined;
  /** Why there is no layout, where there should be one. */
  readonly layoutError: string | undefined;
  /** For the rest: pairs of a name and a value. */
  readonly facts: readonly (readonly [string, string])[];
}

export type BoxFill = "pointer" | "integer" | "composite" | "array" | "bitfield" | "enum" | "other";

/** A part of a member or of free space in a row of the picture. */
export interface PictureBox {
  readonly kind: "member" | "band" | "hole" | "padding";
  readonly fill: BoxFill | "free";
  readonly name: string;
  readonly path: string;
  readonly type: string;
  /** Bits from the row's start. */
  readonly start: number;
  readonly bits: number;
  readonly top: number;
  readonly height: number;
  readonly startsBefore: boolean;
  readonly endsAfter: boolean;
  /** The whole, from the start of the type, in bits. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** Its type opens in place: the path to open, and whether it is. */
  readonly opens?: boolean;
  readonly isOpen?: boolean;
  /** The struct, union or enum that it is or points to. */
  readonly link?: TypeRef;
}

export interface PictureRow {
  readonly byteOffset: number;
  readonly lines: number;
  readonly height: number;
  readonly boxes: readonly PictureBox[];
}

export interface Picture {
  readonly rowBytes: number;
  readonly rows: readonly PictureRow[];
}

export interface MemberRow {
  readonly depth: number;
  readonly kind: "member" | "hole" | "padding";
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly bitOffset: number;
  readonly bitSize: number;
  readonly isBitfield: boolean;
  readonly fill: BoxFill | "free";
  readonly opens: boolean;
  readonly isOpen: boolean;
  readonly link?: TypeRef;
}

export type UseRelation = "embeds" | "points-to" | "takes" | "returns";

export interface UseCounts {
  readonly counts: Readonly<Record<UseRelation, number>>;
}

export interface UseRow {
  readonly ref: TypeRef;
  readonly kind: Kind;
  readonly name: string;
  /** Members that hold it, or the function's signature. */
  readonly detail: string;
}

export interface OffsetAnswer {
  readonly type: string;
  readonly ref: TypeRef;
  readonly byteOffset: number;
  readonly text: string;
  readonly places: readonly {
    readonly path: string;
    readonly text: string;
    readonly what: string;
    readonly type: string;
  }[];
}

export interface DecodedRow {
  readonly depth: number;
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly bitOffset: number;
  readonly bitSize: number;
}

export interface Decoded {
  readonly byteSize: number;
  readonly bytes: Uint8Array;
  readonly rows: readonly DecodedRow[];
  /** Text of what is wrong, with the rows that could be read. */
  readonly note: string | undefined;
}

export interface ComparedRow {
  readonly state: "added" | "removed" | "changed";
  readonly kind: DefinitionKind;
  readonly name: string;
}

export interface Comparison {
  readonly rows: readonly ComparedRow[];
  readonly milliseconds: number;
}

/** One definition on both sides. */
export interface ComparedDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly state: "same" | "added" | "removed" | "changed";
  readonly byteSize?: { readonly old: number; readonly new: number };
  readonly parts: readonly ComparedPart[];
  readonly impact?: { readonly embeddedIn: readonly string[]; readonly pointers: number; readonly functions: number };
  /** A guess at its new name. */
  readonly renamedTo?: string;
}

/** A member, enumerator or parameter on both sides. */
export interface ComparedPart {
  readonly changes: readonly string[];
  readonly old?: ComparedSide;
  readonly new?: ComparedSide;
}

export interface ComparedSide {
  readonly name: string;
  readonly type: string;
  readonly place: string;
}

export interface HistoryRow {
  readonly member: string;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly movedTo: string | undefined;
  /** A cell a kernel. */
  readonly cells: readonly { readonly text: string; readonly type: string; readonly isNew: boolean }[];
}

export interface HistoryTable {
  readonly kernels: readonly {
    readonly kernel: number;
    readonly name: string;
    readonly byteSize: number | undefined;
  }[];
  readonly rows: readonly HistoryRow[];
}

/** Kernels of an archive on which something is the same, by their places. */
export interface AvailabilityRun {
  readonly first: number;
  readonly last: number;
  /** Where it is, or its size; empty where the type is not there, `–` where the member is not. */
  readonly text: string;
  readonly type: string;
}

export interface AvailabilityRow {
  /** A path; empty for the type itself. */
  readonly member: string;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly movedTo: string | undefined;
  readonly runs: readonly AvailabilityRun[];
}

export interface Availability {
  /** Ids, in the archive's order. */
  readonly kernels: readonly string[];
  readonly rows: readonly AvailabilityRow[];
}

export type CellVerdict = "ok" | "changed" | "guarded" | "unattached" | "breaks";

export interface CheckCell {
  readonly object: number;
  readonly kernel: number;
  readonly verdict: CellVerdict;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly CheckFinding[];
}

export interface CheckFinding {
  readonly verdict: string;
  readonly where: string;
  readonly what: string;
  readonly line: string | undefined;
}

export interface SizeNode {
  readonly name: string;
  readonly bytes: number;
  readonly types: number;
  readonly children?: readonly SizeNode[];
}

export type CopyFormat = "c" | "json" | "ts" | "svg";

/** The questions: what each takes, and what comes back. */
export interface Api {
  open: { args: { source: FileSource; base: number | undefined }; result: Opened };
  openArchived: { args: { archive: number; id: string }; result: Opened };
  close: { args: { kernel: number }; result: undefined };
  closeArchive: { args: { archive: number }; result: undefined };
  search: { args: Query; result: SearchResult };
  rows: { args: { token: number; from: number; to: number }; result: readonly ResultRow[] };
  find: { args: { kernel: number; kind: Kind | undefined; name: string }; result: TypeRef | undefined };
  page: { args: { ref: TypeRef }; result: TypePage };
  picture: { args: { ref: TypeRef; rowBytes: number; open: readonly string[] }; result: Picture };
  members: { args: { ref: TypeRef; open: readonly string[] }; result: readonly MemberRow[] };
  useCounts: { args: { ref: TypeRef }; result: UseCounts };
  uses: { args: { ref: TypeRef; relation: UseRelation }; result: readonly UseRow[] };
  offset: { args: { kernel: number; text: string; current: TypeRef | undefined }; result: OffsetAnswer };
  decode: { args: { ref: TypeRef; hex: string }; result: Decoded };
  compare: { args: { old: number; new: number }; result: Comparison };
  compareOne: { args: { old: number; new: number; kind: DefinitionKind; name: string }; result: ComparedDefinition };
  history: { args: { ref: TypeRef; kernels: readonly number[] }; result: HistoryTable };
  availability: { args: { ref: TypeRef; archive: number }; result: Availability };
  check: { args: { object: number; kernel: number }; result: CheckCell };
  sizes: { args: { kernel: number; by: "kind" | "subsystem" | "file" }; result: SizeNode };
  copy: { args: { ref: TypeRef; format: CopyFormat; scheme: "light" | "dark" }; result: string };
}

export type Call = keyof Api;

/** How far a long call is. `total` is undefined where nobody knows. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number | undefined;
}

export type ToWorker =
  | { [C in Call]: { readonly id: number; readonly call: C; readonly args: Api[C]["args"] } }[Call]
  | { readonly id: number; readonly cancel: true };

/** What is wrong, in the library's words. */
export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  readonly isCancelled: boolean;
}

export type FromWorker =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly failure: Failure };
