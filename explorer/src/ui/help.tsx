/** All keys. */
import { useEffect, useRef } from "preact/hooks";
import { KEYS } from "../keys.js";
import { isHelpOpen } from "../state.js";

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEYS.map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Search</h2>
      <dl class="words">
        {WORDS.map(([word, does]) => (
          <div key={word}>
            <dt>
              <code>{word}</code>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

const WORDS = [
  ["task", "names with it: the name itself first, then its start, a word, anywhere"],
  ["struct task", "of a kind; so do union and enum, and kind:func"],
  ["size:>4096", "structs and unions by bytes: also 64, <=16, 64-128"],
  ["holes:>=8", "structs with so many bytes of holes"],
  ["embeds:list_head", "who holds it by value; points-to: by pointer"],
  ["takes:sk_buff", "functions with such a parameter; returns: with such a result"],
  ["member:pid", "structs with a member of that name"],
  ["file:nf_conntrack", "types of a module"],
] as const;
