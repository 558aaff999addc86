/** Where the executables of the runtimes are; one that is not on this machine is undefined. */
export const executables: Readonly<
  Record<"node" | "node 22" | "node 24" | "deno" | "bun" | "workerd" | "chromium" | "firefox", string | undefined>
>;
