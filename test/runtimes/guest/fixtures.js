/** The real kernel that comes with the tests, and its golden values. */
const NAME = "vmlinux-6.1-cloud-amd64";

/** @param read `(path) => Promise<Uint8Array>`, below the application's folder */
export async function readVmlinux(read) {
  const golden = JSON.parse(new TextDecoder().decode(await read(`data/${NAME}.json`)));
  return { packed: await read(`data/${NAME}.btf.gz`), golden };
}
