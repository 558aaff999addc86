/** The page: head, three columns, and what is always said at its foot. */
import { current, isHelpOpen, isSearchOpen, isSideOpen, kernels, notice, place } from "../state.js";
import { Check } from "./check.js";
import { Compare } from "./compare.js";
import { Foot } from "./foot.js";
import { Head } from "./head.js";
import { Help } from "./help.js";
import { DropTarget, Openings, Start } from "./open.js";
import { Results } from "./results.js";
import { Side } from "./side.js";
import { SizeMap } from "./size-map.js";
import { TypePageView } from "./type-page.js";

export function App() {
  const isTypes = place.value.view === "types";
  const hasType = isTypes && place.value.type !== undefined;
  return (
    <DropTarget>
      <div
        class="app"
        data-search={isSearchOpen.value}
        data-side={isSideOpen.value}
        data-type={hasType}
        data-view={place.value.view}
      >
        <Head />
        {current.value && isTypes && <Results />}
        <main class="middle" id="main" tabIndex={-1}>
          <Openings />
          {current.value ? <Middle /> : <Start />}
        </main>
        {hasType && <Side />}
        <Foot />
      </div>
      {isHelpOpen.value && <Help />}
      <p class="notice" role="status" data-shown={notice.value !== ""}>
        {notice.value}
      </p>
    </DropTarget>
  );
}

function Middle() {
  const { view, type } = place.value;
  if (view === "compare") return <Compare />;
  if (view === "check") return <Check />;
  if (view === "sizes") return <SizeMap />;
  return type && kernels.value.some(({ kernel }) => kernel === type.kernel) ? <TypePageView type={type} /> : <Start />;
}
