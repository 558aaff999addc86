// Here the package lies two folders up; where it is installed, all of this is unnecessary.
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

export default {
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: {
    alias: [
      { find: /^btfkit\/(\w+)$/, replacement: `${dist}$1.js` },
      { find: /^btfkit$/, replacement: `${dist}index.js` },
    ],
  },
  server: { host: "127.0.0.1", fs: { allow: [dist, "."] } },
  build: { outDir: fileURLToPath(new URL("../../build/example-vite", import.meta.url)), emptyOutDir: true },
};
