/** The worker: a file beside the page or, in the page that is one file, text in it. */
export function startWorker(): Worker {
  const text = document.getElementById("worker-text")?.textContent;
  if (!text) return new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module" });
  return new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}
