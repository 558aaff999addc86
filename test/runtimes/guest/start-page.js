/**
 * Starts a guest in a page, `?guest=GUEST&argument=ARGUMENT`, or the suite in a
 * worker of the kind `worker`. `report` is the page's host.
 */
import { startWith } from "./start-web.js";

const parameters = new URLSearchParams(location.search);
const kind = parameters.get("worker");

async function startWorker() {
  new BroadcastChannel("report").onmessage = ({ data }) => report(data);
  const url = `/resolved/guest/start-worker.js${location.search}`;
  const options = { type: "module" };
  if (kind === "service") {
    // It may import nothing later on, as decompressors are: they are in a bundle.
    await navigator.serviceWorker.register(`/bundles/worker/start-worker.js${location.search}`, options);
  } else {
    const worker = kind === "shared" ? new SharedWorker(url, options) : new Worker(url, options);
    worker.onerror = ({ message }) => report([`not ok the worker does not start: ${message}`]);
  }
}

if (kind) startWorker().catch((error) => report([`not ok ${error.stack}`]));
else startWith(location.search, () => import(/* @vite-ignore */ `/guest/${parameters.get("guest")}.js`), report);
