// An asc transform: functions of the C dump and of verification stay functions. They are many and
// call one another; inlined they take 70% more bytes and no less time.
import { Transform } from "assemblyscript/transform";
import binaryen from "binaryen";

const KEPT = ["assembly/verify/*", "assembly/c/*", "assembly/emit/writer/phrase", "assembly/emit/writer/bytes"];

export default class NoInline extends Transform {
  afterCompile(module) {
    for (const pattern of KEPT) {
      binaryen.setPassArgument("no-inline", pattern);
      module.runPasses(["no-inline"]);
    }
    binaryen.clearPassArguments();
  }
}
