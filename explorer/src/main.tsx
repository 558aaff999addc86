/** Starts the page. */
import { render } from "preact";
import "./styles/base.css";
import "./styles/page.css";
import "./styles/type.css";
import "./styles/picture.css";
import "./styles/views.css";
import { start } from "./client.js";
import { startKeys } from "./keys.js";
import { startLinks } from "./link.js";
import { startOffline } from "./offline.js";
import { startRecent } from "./recent-files.js";
import { openServedFiles } from "./served-files.js";
import { startTheme } from "./theme.js";
import { App } from "./ui/app.js";

startTheme();
render(<App />, document.getElementById("app")!);
start();
startKeys();
startLinks();
startRecent();
startOffline();
void openServedFiles();
