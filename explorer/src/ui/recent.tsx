/** Files that were opened before, if the person keeps them. */
import { megabytes } from "../numbers.js";
import { keepsRecent, recentFiles, setKeepsRecent } from "../recent-files.js";
import { openFiles } from "../state.js";

export function Recent() {
  return (
    <section class="recent" aria-label="Recent files">
      <label>
        <input
          type="checkbox"
          checked={keepsRecent.value}
          onChange={(event) => void setKeepsRecent(event.currentTarget.checked)}
        />{" "}
        keep the files that I open in this browser
      </label>
      {keepsRecent.value && recentFiles.value.length > 0 && (
        <ul>
          {recentFiles.value.map(({ name, label, blob }) => (
            <li key={name}>
              <button type="button" class="link" onClick={() => void openFiles([{ name, blob }])}>
                {label}
              </button>{" "}
              <span class="hint">
                {name}, {megabytes(blob.size)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
