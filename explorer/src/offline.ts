/** The service worker, with which a page from a server works without it after the first visit. */
export function startOffline(): void {
  const isServed = document.querySelector('meta[name="files"]') !== null;
  const isDevelopment = import.meta.env.DEV;
  if (isServed || isDevelopment || location.protocol === "file:" || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("service-worker.js").catch(() => {});
}
