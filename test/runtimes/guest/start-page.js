/** Starts a guest in a page: `?guest=GUEST&argument=ARGUMENT`. `report` is the page's host. */
const parameters = new URLSearchParams(location.search);
try {
  const { main } = await import(/* @vite-ignore */ `/guest/${parameters.get("guest")}.js`);
  await main({
    read: async (path) => {
      const response = await fetch(`/${path}`);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    print: (line) => report(line),
    argument: parameters.get("argument"),
  });
  await report("done");
} catch (error) {
  await report(`not ok ${error.stack}`);
  await report("done");
}
