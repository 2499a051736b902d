/** Formulas in LaTeX, between the signs that models put around them, as MathML, which browsers draw by themselves. */
import { escaped } from "./escaped.js";

// A dollar is often only a dollar: a formula touches both of its signs, and no digit follows it.
const INLINE = /^(?:\$\$([^]+?)\$\$|\\\[([^]+?)\\\]|\\\(([^]+?)\\\)|\$(?!\s)((?:\\[^]|[^\\$\n`])+?)(?<!\s)\$(?!\d))/;
const BLOCK = /^ {0,3}(?:\$\$([^]+?)\$\$|\\\[([^]+?)\\\]) *(?:\n|$)/;

/** What marked needs to leave formulas as they are. */
export const FORMULAS = [extension("block", BLOCK, /(?:^|\n) {0,3}(?:\$\$|\\\[)/), extension("inline", INLINE, /\$|\\[[(]/)];

/** @param {"block" | "inline"} level @param {RegExp} form @param {RegExp} first */
function extension(level, form, first) {
  return {
    name: `${level}Formula`,
    level,
    /** @param {string} text */
    start(text) {
      const place = text.search(first);
      return place < 0 ? undefined : place;
    },
    /** @param {string} text */
    tokenizer(text) {
      const found = form.exec(text);
      if (!found) return undefined;
      const tex = found.slice(1).find((one) => one !== undefined) ?? "";
      return { type: `${level}Formula`, raw: found[0], tex, display: found[1] ?? found[2] };
    },
    /** @param {any} token */
    renderer({ tex, display }) {
      const code = `<code class="formula${display ? " display" : ""}">${escaped(tex.trim())}</code>`;
      return level === "block" ? `<p>${code}</p>\n` : code;
    },
  };
}

/** @type {Promise<any> | undefined} */
let library;

/** Draw the formulas under a node. The library is fetched when the first one is there; what it cannot read stays as it
 * was written.
 * @param {Element} node */
export async function draw(node) {
  const formulas = [...node.querySelectorAll("code.formula")];
  if (!formulas.length) return;
  library ??= fetched();
  const temml = await library;
  for (const code of formulas) {
    const place = document.createElement("span");
    place.className = code.className;
    try {
      const displayMode = code.classList.contains("display");
      temml.render(code.textContent, place, { displayMode, throwOnError: true, maxSize: [20, 200], maxExpand: 500 });
      code.replaceWith(place);
    } catch {
      code.classList.remove("formula");
    }
  }
}

/** It is published as a script that leaves one name behind.
 * @returns {Promise<any>} */
function fetched() {
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/temml.js", import.meta.url).href;
    script.onload = () => done(/** @type {any} */ (window).temml);
    script.onerror = fail;
    document.head.append(script);
  });
}
