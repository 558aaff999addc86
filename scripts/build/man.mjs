// Manual pages and shell completions, from the definitions of the commands:
// dist/man/btfkit.1 and one page a command, dist/completions/ for bash, zsh and
// fish.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { program } from "../../build/js/cli/program.js";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));

/** The day of the build, or the one that a reproducible build names. */
const { SOURCE_DATE_EPOCH } = process.env;
const date = new Date(SOURCE_DATE_EPOCH ? SOURCE_DATE_EPOCH * 1000 : Date.now()).toISOString().slice(0, 10);

/** Text as roff writes it: a hyphen that can be typed, nothing that it takes for an escape. */
const escaped = (text) =>
  text.replace(/\\/g, "\\e").replace(/-/g, "\\-").replace(/`/g, "\\(ga").replace(/…/g, "...").replace(/≤/g, "<=");

/** Lines of at most 80 characters, none of which is taken for a request. */
const filled = (text) =>
  escaped(text)
    .replace(/(.{1,78})(?: |$)/g, "$1\n")
    .trimEnd()
    .replace(/^([.'])/gm, "\\&$1");

/** Names and options in bold, what stands for a value in italics. */
const term = (text) =>
  text
    .split(/(<[^>]*>|\[[^\]]*\]|--?[a-z][a-z-]*|^[a-z-]+(?: [a-z]+)?)/)
    .map((part, i) => (i % 2 === 0 ? escaped(part) : `\\f${/^[<[]/.test(part) ? "I" : "B"}${escaped(part)}\\fR`))
    .join("");

const section = (title, ...lines) => (lines.length > 0 ? [`.SH ${title}`, ...lines] : []);

const entries = (list) => list.flatMap(({ name, text }) => [".TP", term(name), filled(text)]);

/** What a command's help says below the options. */
function notesOf(command) {
  let text = "";
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
  });
  command.outputHelp();
  return text.slice(command.helpInformation().length).trim();
}

/** Notes, and `Example:` with its lines indented: those as they are, under a heading of their own. */
function notesAndExamples(notes) {
  const [text, lines] = notes.split(/^Examples?:\n/m);
  return [
    ...(text ? section("NOTES", filled(text.trim())) : []),
    ...(lines ? section("EXAMPLES", ".EX", ...lines.split("\n").map((line) => escaped(line.trim())), ".EE") : []),
  ];
}

const EXIT_STATUS = [
  { name: "0", text: "Done." },
  { name: "1", text: "The answer is no: nothing was found, a check failed." },
  { name: "2", text: "Wrong usage." },
  { name: "3", text: "Bad input: malformed, or a file that cannot be read." },
  { name: "70", text: "A bug of btfkit." },
];

function page(name, command, synopsis, seeAlso) {
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  const args = help.visibleArguments(command);
  const commands = help.visibleCommands(command);
  const title = name.toUpperCase();
  const lines = [
    `.TH ${escaped(title)} 1 ${date} "btfkit ${version}" "btfkit"`,
    ...section("NAME", filled(`${name} - ${command.description()}`)),
    ...section("SYNOPSIS", synopsis),
    ...section(
      "ARGUMENTS",
      ...entries(args.map((one) => ({ name: help.argumentTerm(one), text: help.argumentDescription(one) }))),
    ),
    ...section(
      "COMMANDS",
      ...entries(
        commands.map((one) => ({ name: one.name(), text: `${one.description()}; see btfkit-${one.name()}(1)` })),
      ),
    ),
    ...section(
      "OPTIONS",
      ...entries(options.map((one) => ({ name: help.optionTerm(one), text: help.optionDescription(one) }))),
    ),
    ...section("EXIT STATUS", ...entries(EXIT_STATUS)),
    ...notesAndExamples(notesOf(command)),
    ...section("SEE ALSO", seeAlso.map((other) => `.BR ${escaped(other)} (1)`).join(",\n")),
  ];
  return `${lines.join("\n")}\n`;
}

rmSync("dist/man", { recursive: true, force: true });
mkdirSync("dist/man", { recursive: true });
const root = await program(version, async () => {});
const names = root.commands.map((command) => `btfkit-${command.name()}`);
writeFileSync("dist/man/btfkit.1", page("btfkit", root, term("btfkit <command> [options]"), names));
for (const command of root.commands) {
  const synopsis = term(`btfkit ${command.name()} ${command.usage()}`);
  writeFileSync(`dist/man/btfkit-${command.name()}.1`, page(`btfkit-${command.name()}`, command, synopsis, ["btfkit"]));
}

mkdirSync("dist/completions", { recursive: true });
for (const [shell, file] of Object.entries({
  bash: "btfkit.bash",
  zsh: "_btfkit",
  fish: "btfkit.fish",
  powershell: "btfkit.ps1",
})) {
  const script = execFileSync(process.execPath, ["dist/cli/btfkit.cjs", "complete", shell]);
  writeFileSync(`dist/completions/${file}`, script);
}
