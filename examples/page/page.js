// Opens what is dropped on the page, and shows a struct of it.
import { openImage } from "./btfkit/image.js";
import { layoutText } from "./btfkit/inspect.js";

const [drop, file, status, name, text] = [".drop", "#file", "#status", "#name", "#text"].map((selector) =>
  document.querySelector(selector),
);
let btf;

async function open(chosen) {
  status.textContent = `Opening ${chosen.name} …`;
  try {
    const image = await openImage(chosen, { name: chosen.name });
    ({ btf } = image);
    const way = image.steps.map(({ kind }) => kind).join(", ");
    status.textContent = `${chosen.name}: ${image.version ?? "a kernel"}, ${btf.size - 1} types (${way})`;
    name.disabled = false;
    show();
  } catch (error) {
    status.textContent = error.message;
  }
}

function show() {
  try {
    text.textContent = layoutText(btf.require(name.value, "struct"));
  } catch (error) {
    text.textContent = error.message;
  }
}

file.addEventListener("change", () => open(file.files[0]));
name.addEventListener("input", show);
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  open(event.dataTransfer.files[0]);
});
