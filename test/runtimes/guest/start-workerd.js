/** Starts the guest that it is bundled with in workerd: `workerd test`. Files are bindings, by their paths. */
import { main } from "GUEST";

export default {
  async test(_, files) {
    await main({
      read: async (path) => new Uint8Array(files[path]),
      print: (line) => console.log(line),
      argument: files.argument,
    });
    console.log("done");
  },
};
