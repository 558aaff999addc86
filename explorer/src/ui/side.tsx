/** The right column: who uses the type, and the offset box. A sheet where there is no room. */
import { isSideOpen, place } from "../state.js";
import { OffsetBox } from "./offset-box.js";
import { UsedBy } from "./used-by.js";

export function Side() {
  const { type } = place.value;
  if (!type) return null;
  return (
    <aside class="side" aria-label="Used by, and offsets">
      <button
        type="button"
        class="side-close quiet"
        onClick={() => {
          isSideOpen.value = false;
        }}
      >
        Close
      </button>
      <OffsetBox type={type} />
      <UsedBy type={type} />
    </aside>
  );
}
