// Programs of every kind, attached and set off on the kernel that this process
// runs on. Prints a line of JSON for each: {"name", "result"}, where the result
// is "ok", or why not. Runs in every runtime and under QEMU:
// node hooks.mjs LIBRARY FOLDER, where FOLDER has what test/support/hooks.ts compiles.
import { execFileSync } from "node:child_process";
import dgram from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";

const [library, folder] = process.argv.slice(2);
const { Kernel } = await import(library);
const GETPGID = 121;
const GETPGRP = 111;
const kernel = await Kernel.open();
const { ffi } = kernel.system;
const getpgid = () => ffi.syscall(GETPGID, process.pid);

/** What the running check has open: closed at its end, for Node 20 has no `using`. */
const open = [];
function own(one) {
  open.push(one);
  return one;
}

/** Loads one program of an object. */
async function load(object, ...programs) {
  const autoload = Object.fromEntries(programs.map((name) => [name, true]));
  return await kernel.load(join(folder, `${object}.o`), { autoload, globals: { only_pid: process.pid } });
}

function taken(app) {
  const events = [];
  const stream = app.maps.ring.read();
  stream.consume((event) => void events.push(event));
  return events;
}

function count(app, key) {
  const bytes = app.maps.counts.map.get(Uint8Array.of(key, 0, 0, 0));
  return new DataView(bytes.buffer).getBigUint64(0, true);
}

function expect(isTrue, what) {
  if (!isTrue) throw new Error(`expected ${what}`);
}

/** A program that getpgid sets off, and the value in its event. */
const byCall =
  (program, value, { cookie, ...options } = {}) =>
  async () => {
    const app = own(await load("hooks", program));
    const link = app.programs[program].attach({ ...options, ...(cookie && { cookie }) });
    const group = getpgid();
    const [event, ...more] = taken(app);
    expect(event?.pid === process.pid, "an event of this process");
    const expected = { pid: process.pid, group }[value] ?? value;
    expect(Number(event.value) === expected, `the value ${expected} instead of ${event.value}`);
    if (cookie) expect(event.cookie === cookie, `the cookie ${cookie} instead of ${event.cookie}`);
    expect(more.length === 0, "one event");
    link[Symbol.dispose]();
    getpgid();
    expect(taken(app).length === 0, "no event once it is detached");
  };

/** A program that makes getpgid fail. */
const denies = (program, errno) => async () => {
  const app = own(await load("hooks", program));
  const link = app.programs[program].attach();
  const result = getpgid();
  link[Symbol.dispose]();
  expect(result === -errno, `errno ${errno} instead of ${-result}`);
  expect(getpgid() > 0, "success once it is detached");
};

/** A program that counts in a map. */
const counts = (program, key, options, act) => async () => {
  const app = own(await load("hooks", program));
  const link = app.programs[program].attach(options);
  await act(app);
  expect(count(app, key) > 0n, "a count");
  link[Symbol.dispose]();
};

const probed = join(folder, "probed");
const fire = () => execFileSync(probed, { input: "\n" });

async function packet() {
  const socket = dgram.createSocket("udp4");
  await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const arrived = new Promise((resolve) => socket.once("message", resolve));
  socket.send("x", socket.address().port, "127.0.0.1");
  await arrived;
  socket.close();
}

async function connection() {
  const server = net.createServer((socket) => socket.end("x"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = net.connect(server.address().port, "127.0.0.1");
  await new Promise((resolve) => socket.once("data", resolve));
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}

const CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control";
const congestion = (object) => async () => {
  const programs = ["congestion_init", "congestion_ssthresh", "congestion_avoid", "congestion_undo"];
  const app = own(await load(object, ...programs));
  const before = readFileSync(CONGESTION, "utf8");
  const attached = app.attachStructOps("congestion");
  writeFileSync(CONGESTION, "btfkit_cc");
  try {
    await connection();
  } finally {
    writeFileSync(CONGESTION, before.trim());
    attached[Symbol.dispose]();
  }
  expect(count(app, 7) > 0n, "a connection under its control");
};

async function replaces() {
  const target = own(await load("hooks", "with_function"));
  const { program } = target.programs.with_function;
  const run = () => program.run({ data: new Uint8Array(64) }).returnValue;
  expect(run() === 2, "the function itself");
  const app = own(
    await kernel.load(join(folder, "hooks.o"), {
      autoload: { replacement: true },
      attachTo: { replacement: { program } },
    }),
  );
  const link = app.programs.replacement.attach();
  expect(run() === 42, "the replacement");
  link[Symbol.dispose]();
  expect(run() === 2, "the function itself again");
  const other = own(await load("hooks", "with_function"));
  own(app.programs.replacement.attach({ program: other.programs.with_function.program }));
  const result = other.programs.with_function.run({ data: new Uint8Array(64) }).returnValue;
  expect(result === 42, "the replacement in another program");
}

async function staticProbe() {
  const app = own(await kernel.load(join(folder, "usdt.o")));
  const link = own(app.programs.on_probe.attach({ target: `${probed}:btfkit:fired`, cookie: 42n }));
  fire();
  const [first, second] = taken(app);
  expect(first?.text === "registers" && first.number === -5n && first.small === 200n, "arguments in registers");
  expect(second?.text === "memory" && second.constant === -77n && second.cookie === 42n, "arguments in memory");
  return link.link ? "one link" : "perf events";
}

async function toPrograms() {
  const app = own(await load("hooks", "on_drain"));
  own(app.programs.on_drain.attach());
  const requests = app.maps.to_program.writer("request");
  let sent = 0;
  // More than fits at once: programs take records meanwhile.
  for (let value = 1; value <= 1000; value++) {
    while (!requests.write({ number: value, value })) ffi.syscall(GETPGRP);
    sent += value;
  }
  ffi.syscall(GETPGRP);
  const drained = () => new DataView(app.maps[".bss"].map.get(new Uint8Array(4)).buffer).getBigUint64(0, true);
  expect(drained() === BigInt(sent), `the sum ${sent} instead of ${drained()}`);
  while (requests.write({ number: 0, value: 1 }));
  const waiting = requests.send({ number: 0, value: 1 }, { timeout: 5000 });
  setTimeout(() => ffi.syscall(GETPGRP), 50);
  expect(await waiting, "room after a program has taken records");
}

async function iterates() {
  const app = own(await load("hooks", "on_task"));
  for (const _text of app.programs.on_task.iterate());
  expect(count(app, 6) > 0n, "a task");
}

async function ofModule() {
  const app = own(await load("hooks", "on_module"));
  own(app.programs.on_module.attach());
}

function busy() {
  const until = Date.now() + 300;
  while (Date.now() < until);
}

const checks = {
  tracepoint: byCall("on_tracepoint", "pid", { cookie: 7n }),
  raw_tp: byCall("on_raw_tracepoint", 4),
  tp_btf: byCall("on_typed_tracepoint", "pid"),
  fentry: byCall("on_entry", "pid", { cookie: 8n }),
  fexit: byCall("on_exit", "group"),
  "fentry of a module": ofModule,
  fmod_ret: denies("on_return", 13),
  lsm: denies("on_permission", 1),
  freplace: replaces,
  kprobe: byCall("on_kprobe", 1, { cookie: 9n }),
  kretprobe: byCall("on_kretprobe", "group"),
  ksyscall: byCall("on_system_call", 2),
  "kprobe.multi": byCall("on_many", 3, { target: "__x64_sys_getpgid", cookie: 10n }),
  uprobe: counts("on_function", 0, { target: `${probed}:in_registers` }, fire),
  uretprobe: counts("on_function_return", 1, { target: `${probed}:in_registers` }, fire),
  usdt: staticProbe,
  perf_event: counts("on_sample", 2, { frequency: 999 }, busy),
  xdp: counts("on_xdp", 5, { interface: "lo" }, packet),
  tcx: counts("on_frame", 4, { interface: "lo" }, packet),
  netfilter: counts("on_packet", 3, {}, packet),
  iter: iterates,
  struct_ops: congestion("congestion"),
  "struct_ops link": congestion("congestion-link"),
  user_ringbuf: toPrograms,
};

for (const [name, check] of Object.entries(checks)) {
  let result;
  try {
    result = (await check()) ?? "ok";
  } catch (error) {
    result = `${error}`;
  }
  for (const one of open.splice(0).reverse()) one[Symbol.dispose]();
  console.log(JSON.stringify({ name, result }));
}
