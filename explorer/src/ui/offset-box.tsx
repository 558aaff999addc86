/** The offset box: `+0x9e8`, `task_struct+0x9e8` or a line of an oops, and the members there. */
import { useState } from "preact/hooks";
import { offsetText } from "../numbers.js";
import type { TypeRef } from "../protocol.js";
import { goTo, openPaths, place } from "../state.js";
import { useAsked } from "./asked.js";

export function OffsetBox({ type }: { readonly type: TypeRef }) {
  const [text, setText] = useState("");
  const asked = text.trim() ? { kernel: type.kernel, text, current: type } : undefined;
  const { value, failure } = useAsked("offset", asked);
  const answer = asked ? value : undefined;
  const show = (): void => {
    if (!answer) return;
    const parents = answer.places[0]?.path.split(".").slice(0, -1) ?? [];
    goTo(answer.ref, { byteOffset: answer.byteOffset, tab: place.value.tab === "table" ? "table" : "picture" });
    openPaths.value = parents.map((_, i) => parents.slice(0, i + 1).join("."));
  };
  return (
    <section class="offset-box" aria-labelledby="offset-title">
      <h2 id="offset-title">At an offset</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          show();
        }}
      >
        <input
          id="offset"
          class="mono"
          aria-label="Offset, TYPE+OFFSET, or a line of an oops"
          placeholder="0x9e8, sock+64, an oops line"
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </form>
      {asked && failure && <p class="failure">{failure}</p>}
      {answer && (
        <div class="answer" role="status">
          <p>
            {answer.type} + {offsetText(answer.byteOffset)}
          </p>
          <ul>
            {answer.places.map((one) => (
              <li key={one.text}>
                <b>{one.text}</b> {one.what === "member" && <span class="type">{one.type}</span>}
              </li>
            ))}
          </ul>
          <button type="button" class="link" onClick={show}>
            show it
          </button>
        </div>
      )}
    </section>
  );
}
