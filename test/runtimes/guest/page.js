/** The application as a page has it: what webpack and Vite make of it runs in pages alone. */
import { digests, openPacked } from "./app.js";

globalThis.application = { digests, openPacked };
