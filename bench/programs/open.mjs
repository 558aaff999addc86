// First open of a process: import, compile, open.
import process from "node:process";
import { openFile } from "../../dist/node.js";

openFile(process.argv[2]);
