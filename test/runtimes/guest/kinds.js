/** Uses one constant: a bundler leaves all else out. */
import { KINDS } from "btfkit";

console.log(KINDS.length);
