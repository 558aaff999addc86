/** Finds helpers, maps and programs that a target does not know, by the enums of its BTF. */
import type { CoreTarget } from "../../core-relocation/resolution.js";
import { ATTACH_TYPES, conventionOf, PROGRAM_TYPES } from "../../elf/section-names.js";
import { MAP_TYPES } from "../../object/map-types.js";
import type { BpfObject } from "../../object/object.js";
import type { ControlFlow } from "../control-flow/control-flow.js";
import { helperName, helperRelease } from "../requirements/requirements.js";
import { ATTACH_TYPE_RELEASES, MAP_TYPE_RELEASES, PROGRAM_TYPE_RELEASES } from "../requirements/tables.js";
import { namesInTarget } from "../requirements/target-enums.js";
import type { ObjectFinding } from "./finding.js";
import { loadedPrograms } from "./loaded-programs.js";

const EINVAL = 22;

/** Helpers that libbpf replaces by an older one where the kernel lacks them: probe_read_{user,kernel}{,_str}. */
const REPLACED = /* @__PURE__ */ new Set([112, 113, 114, 115]);

/** Yields what programs that are loaded, and maps, need and the target lacks. */
export function* missingFeatures(
  object: BpfObject,
  target: CoreTarget,
  flow: () => ControlFlow,
): Generator<ObjectFinding> {
  yield* missingHelpers(target, flow);
  yield* missingMapTypes(object, target);
  yield* missingProgramTypes(object, target);
}

function since(release: string | undefined): string {
  return release === undefined ? "" : `; kernels have it since ${release}`;
}

function missing(
  rule: ObjectFinding["rule"],
  subject: string,
  what: string,
  release: string | undefined,
  insn?: number,
): ObjectFinding {
  const reason = `the target does not know ${what}${since(release)}`;
  return { rule, severity: "breaks", subject, errno: EINVAL, reason, ...(insn !== undefined && { insn }) };
}

function* missingHelpers(target: CoreTarget, flow: () => ControlFlow): Generator<ObjectFinding> {
  const names = namesInTarget(target, "helper");
  if (!names) return;
  for (const [number, { program, insn }] of flow().helperCalls) {
    if (number !== 0 && (names.has(number) || REPLACED.has(number))) continue;
    const name = helperName(number);
    const what = name === undefined ? `helper ${number}` : `helper bpf_${name} (${number})`;
    yield missing("helper", program.name, what, helperRelease(number), insn);
  }
}

function* missingMapTypes(object: BpfObject, target: CoreTarget): Generator<ObjectFinding> {
  const names = namesInTarget(target, "mapType");
  if (!names) return;
  for (const { name: map, type } of object.maps) {
    if (type === undefined || names.has(type)) continue;
    const name = MAP_TYPES[type];
    const what = `the map type ${name ?? type}`;
    yield missing("map-type", map, what, name === undefined ? undefined : MAP_TYPE_RELEASES[name]);
  }
}

function* missingProgramTypes(object: BpfObject, target: CoreTarget): Generator<ObjectFinding> {
  const types = namesInTarget(target, "programType");
  const attachTypes = namesInTarget(target, "attachType");
  for (const { name, type, section } of loadedPrograms(object)) {
    if (type === "unspec") continue;
    if (types && !types.has(PROGRAM_TYPES.indexOf(type))) {
      yield missing("program-type", name, `the program type ${type}`, PROGRAM_TYPE_RELEASES[type]);
      continue;
    }
    const convention = conventionOf(section)?.convention;
    const attachType = convention?.attachType;
    // libbpf leaves an optional attach type out where the kernel does not know expected attach types.
    if (!attachTypes || !attachType || convention.attachTypeOptional) continue;
    if (!attachTypes.has(ATTACH_TYPES.indexOf(attachType)))
      yield missing("attach-type", name, `the attach type ${attachType}`, ATTACH_TYPE_RELEASES[attachType]);
  }
}
