// Manual pages and completions that are shipped: one page a command, without a
// complaint of mandoc; completions that their shells take.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { program } from "../../src/cli/program.js";
import { needing } from "../support/needs.js";

const { man, version } = JSON.parse(readFileSync("package.json", "utf8"));
const root = await program(version, async () => {});

test("each command has a page, which the package names", () => {
  const expected = ["btfkit", ...root.commands.map((command) => `btfkit-${command.name()}`)].map((name) => `${name}.1`);
  expect(readdirSync("dist/man").sort()).toEqual(expected.sort());
  expect(new Set(man)).toEqual(new Set(expected.map((name) => `dist/man/${name}`)));
});

/** A page as a terminal shows it, without bold and underlining. */
function shown(name: string): string {
  const text = execFileSync("mandoc", ["-T", "utf8", `dist/man/${name}.1`], { encoding: "utf8" });
  return text.replaceAll(/.[\b]/g, "").replace(/\s+/g, " ");
}

needing("mandoc")("a page tells all options with their values, and an example", () => {
  for (const command of root.commands) {
    const text = shown(`btfkit-${command.name()}`);
    for (const { flags, argChoices = [] } of command.options) {
      expect(text).toContain(flags);
      for (const choice of argChoices) expect(text).toContain(choice);
    }
    expect(text).toContain(`EXAMPLES btfkit ${command.name()}`);
    expect(text).toContain("EXIT STATUS");
  }
  for (const command of root.commands) expect(shown("btfkit")).toContain(`see btfkit-${command.name()}(1)`);
});

needing("mandoc")("mandoc has no complaint", () => {
  for (const page of man) expect(execFileSync("mandoc", ["-T", "lint", page], { encoding: "utf8" })).toBe("");
});

needing("bash")("the shipped completions are those of the commands", () => {
  for (const [shell, file] of Object.entries({
    bash: "btfkit.bash",
    zsh: "_btfkit",
    fish: "btfkit.fish",
    powershell: "btfkit.ps1",
  })) {
    const script = execFileSync(process.execPath, ["dist/cli/btfkit.cjs", "complete", shell], { encoding: "utf8" });
    expect(readFileSync(`dist/completions/${file}`, "utf8")).toBe(script);
  }
  execFileSync("bash", ["-n", "dist/completions/btfkit.bash"]);
});
