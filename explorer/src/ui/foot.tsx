/** The foot: what is open, and where it stays. */

import { grouped, megabytes, milliseconds } from "../numbers.js";
import { current } from "../state.js";

export function Foot() {
  const info = current.value;
  return (
    <footer class="foot">
      {info && (
        <>
          <span>{grouped(info.types)} types</span>
          <span>{megabytes(info.byteLength)}</span>
          {info.images.length > 1 && <span>{info.images.length - 1} modules</span>}
          <span class="wide">
            {[info.architecture, `${info.endian}-endian`, `${info.pointerSize * 8} bit`].filter(Boolean).join(", ")}
          </span>
          <span>opened in {milliseconds(info.milliseconds)}</span>
          {info.skipped.length > 0 && (
            <details>
              <summary>{info.skipped.length} left out</summary>
              <ul class="skipped">
                {info.skipped.slice(0, 50).map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
      <span class="promise">nothing leaves this machine</span>
    </footer>
  );
}
