/** Uses one pure function: a bundler leaves all else out. */
import { resolve } from "btfkit";

export const kindBehind = (type) => resolve(type).kind;
