// Prints each program that is started, until Ctrl-C: node execsnoop.mjs OBJECT [EVENTS]
import { Kernel } from "btfkit/live";

const [object, count = Number.POSITIVE_INFINITY] = process.argv.slice(2);
const kernel = await Kernel.open();
const app = await kernel.load(object, { globals: { min_uid: 0 } });
app.programs.handle_exec.attach();
console.log("watching");
let seen = 0;
for await (const event of app.maps.events.read()) {
  console.log(event.pid, event.ppid, event.comm, event.filename);
  if (++seen >= Number(count)) break;
}
app[Symbol.dispose]();
