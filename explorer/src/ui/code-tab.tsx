/** The type as C, with links. */
import type { TypePage } from "../protocol.js";
import { goTo } from "../state.js";

export function CodeTab({ page }: { readonly page: TypePage }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys must reach it
    <pre class="code" role="region" tabIndex={0} aria-label={`${page.title} in C`}>
      {page.code.map(({ text, link, role }, i) =>
        link ? (
          <a
            key={i}
            href={`#${link.id}`}
            onClick={(event) => {
              event.preventDefault();
              goTo(link);
            }}
          >
            {text}
          </a>
        ) : role ? (
          <span key={i} class={`code-${role}`}>
            {text}
          </span>
        ) : (
          text
        ),
      )}
    </pre>
  );
}
