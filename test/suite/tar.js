/** A tar archive of files, by path: bytes or text. */
export function tar(files) {
  const encoder = new TextEncoder();
  const blocks = [];
  for (const [path, told] of Object.entries(files)) {
    const contents = typeof told === "string" ? encoder.encode(told) : told;
    const head = new Uint8Array(512);
    const put = (text, at) => head.set(encoder.encode(text), at);
    put(path, 0);
    put(`${contents.length.toString(8).padStart(11, "0")}\0`, 124);
    put("        0", 148);
    put("ustar\0", 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    const body = new Uint8Array(Math.ceil(contents.length / 512) * 512);
    body.set(contents);
    blocks.push(head, body);
  }
  blocks.push(new Uint8Array(1024));
  const archive = new Uint8Array(blocks.reduce((length, block) => length + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    archive.set(block, at);
    at += block.length;
  }
  return archive;
}
