/** Runs a guest in a page or a worker. */

async function read(path) {
  const response = await fetch(`/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @param report takes the guest's lines, at its end */
export async function startWith(search, load, report) {
  const lines = [];
  try {
    const { main } = await load();
    const argument = new URLSearchParams(search).get("argument");
    await main({ read, print: (line) => lines.push(line), argument });
  } catch (error) {
    lines.push(`not ok ${error}\n${error.stack}`);
  }
  report(lines);
}
