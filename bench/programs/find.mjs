// What somebody does who wants one struct.
import process from "node:process";
import { openFile } from "../../dist/node.js";

console.log(openFile(process.argv[2]).require("task_struct", "struct").id);
