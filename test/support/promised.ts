/** What the console.logs of an example say they print, behind them or below them; lines are parted by " | ". */
export function promised(code: string): string[] {
  const found = code.matchAll(/^.*\bconsole\.log\(.*\);(?: \/\/ (.*)|\n *\/\/ (.*))$/gm);
  return Array.from(found, ([, behind, below]) => behind ?? below ?? "").flatMap((text) => text.split(" | "));
}
