/** Starts the suite in a worker of any kind. */
import { startWith } from "./start-web.js";
import * as suite from "./suite.js";

startWith(
  location.search,
  async () => suite,
  (lines) => new BroadcastChannel("report").postMessage(lines),
);
