// make.mjs [TARGET...]: makes targets of tasks.mjs, by default all, and what they
// need. A task whose inputs and outputs are as its last run left them is not run
// again; tasks that do not need each other run at the same time.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ALL, tasks } from "./tasks.mjs";

/** A file a task: the hash of its inputs, and its outputs with size and time. */
const RECORDS = "build/made";

/** Files of a path, which may be a folder, in order. */
function filesOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function inputsHash({ inputs, command }) {
  const hash = createHash("sha256").update(JSON.stringify(command));
  for (const file of inputs.flatMap(filesOf))
    hash.update(`\0${file}\0`).update(existsSync(file) ? readFileSync(file) : "");
  return hash.digest("hex");
}

/** Outputs as they lie there; what is missing has no size. */
const outputsOf = ({ outputs }) =>
  outputs.flatMap(filesOf).map((file) => {
    const { size, mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
    return { file, size, mtimeMs };
  });

const recordOf = (name) => join(RECORDS, `${name}.json`);

function isUpToDate(name, hash) {
  if (!existsSync(recordOf(name))) return false;
  const record = JSON.parse(readFileSync(recordOf(name), "utf8"));
  return record.hash === hash && JSON.stringify(record.outputs) === JSON.stringify(outputsOf(tasks[name]));
}

/** Runs the programs of a task one after the other; what they print is shown when one fails. */
async function run(name) {
  for (const [program, ...args] of tasks[name].command) {
    let printed = "";
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
    const code = await new Promise((done, fail) => child.on("close", done).on("error", fail));
    if (code !== 0) throw new Error(`${name}: ${[program, ...args].join(" ")} failed (${code})\n${printed}`);
    if (printed.trim()) console.error(printed.trimEnd());
  }
}

let free = availableParallelism();
const waiting = [];

/** Waits until a processor is free, and takes it. */
async function take() {
  if (free > 0) free--;
  else await new Promise((done) => waiting.push(done));
}

function give() {
  const next = waiting.shift();
  if (next) next();
  else free++;
}

const made = new Map();

/** Makes a task once, after those it needs; true if it had to run. */
function make(name) {
  if (!made.has(name)) made.set(name, makeNow(name));
  return made.get(name);
}

async function makeNow(name) {
  const task = tasks[name];
  if (!task) throw new Error(`no target ${name}; there are ${Object.keys(tasks).join(", ")}`);
  await Promise.all((task.needs ?? []).map(make));
  if (!task.command) return;
  if (isUpToDate(name, inputsHash(task))) return;
  await take();
  try {
    const started = performance.now();
    // A run that fails or is interrupted leaves no record.
    rmSync(recordOf(name), { force: true });
    for (const path of task.clears ?? []) rmSync(path, { recursive: true, force: true });
    await run(name);
    for (const { file, size } of outputsOf(task)) if (size === undefined) throw new Error(`${name} made no ${file}`);
    mkdirSync(RECORDS, { recursive: true });
    writeFileSync(recordOf(name), JSON.stringify({ hash: inputsHash(task), outputs: outputsOf(task) }));
    if (!process.argv.includes("--quiet"))
      console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } finally {
    give();
  }
}

const targets = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
try {
  await Promise.all((targets.length > 0 ? targets : ALL).map(make));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
