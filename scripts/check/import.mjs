// Importing the library does nothing: whatever has an effect when it is loaded
// stays in a bundle that uses none of it, so that bundle has to be empty.
import { entries, specifierOf } from "../entries.mjs";
import { bundle } from "./bundle.mjs";

for (const entry of entries.map(specifierOf)) {
  const left = (await bundle(`import "${entry}";`)).trim();
  if (left) {
    console.error(`code that runs at import of ${entry}:\n${left.slice(0, 2000)}`);
    process.exitCode = 1;
  }
  console.log(`import ${entry}: ${left.length} bytes run`);
}
