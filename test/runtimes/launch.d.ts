import type { Page } from "puppeteer-core";

export type BrowserName = "chromium" | "firefox";

/** A browser that was started for the tests. */
export interface DrivenBrowser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

export function launchBrowser(name: BrowserName, executable: string): Promise<DrivenBrowser>;
