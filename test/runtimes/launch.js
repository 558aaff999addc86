/** A headless browser of this machine, driven by puppeteer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "puppeteer-core";

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser with a profile of its own, which `close` removes. */
export async function launchBrowser(name, executable) {
  const userDataDir = mkdtempSync(join(tmpdir(), `btfkit-${name}-`));
  const args = name === "chromium" ? CHROMIUM_FLAGS : [];
  const browser = name === "chromium" ? "chrome" : name;
  const driven = await launch({ browser, executablePath: executable, headless: true, args, userDataDir });
  const close = async () => {
    await driven.close();
    rmSync(userDataDir, { recursive: true, force: true });
  };
  return { newPage: () => driven.newPage(), close };
}
