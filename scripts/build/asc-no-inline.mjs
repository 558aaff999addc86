// An asc transform: functions of the C dump stay functions. They are many and
// call one another; inlined they take 70% more bytes and save a tenth of the time.
import { Transform } from "assemblyscript/transform";
import binaryen from "binaryen";

const MODULES = ["body", "declare", "emit", "index", "layout", "names", "order", "sort"];
const HELPERS = ["change", "fail", "full", "setFlags", "stringOf", "typeOf", "undo"];
const KEPT = [
  "assembly/edit/verify/*",
  ...MODULES.map((name) => `assembly/text/c/${name}/*`),
  ...HELPERS.map((name) => `assembly/text/c/context/${name}`),
  "assembly/text/writer/bytes",
  "assembly/text/writer/phrase",
];

export default class NoInline extends Transform {
  afterCompile(module) {
    for (const pattern of KEPT) {
      binaryen.setPassArgument("no-inline", pattern);
      module.runPasses(["no-inline"]);
    }
    binaryen.clearPassArguments();
  }
}
