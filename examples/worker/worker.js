// Holds the kernel: files and patterns come in, what was found goes out. A Btf itself does not travel.
import { openImage } from "./btfkit/image.js";

let btf;

addEventListener("message", async ({ data: { file, pattern } }) => {
  try {
    if (file) {
      postMessage({ status: `Opening ${file.name} …` });
      ({ btf } = await openImage(file, { name: file.name }));
      postMessage({ status: `${btf.size - 1} types`, isOpen: true });
    }
    if (pattern) {
      const types = btf.search(pattern, { limit: 20 });
      postMessage({ names: types.map(({ kind, name }) => `${kind} ${name}`) });
    }
  } catch (error) {
    postMessage({ status: error.message });
  }
});
