/** Markdown as it comes: blocks that are closed are made into HTML once, only the last one is made anew.
 *
 * What a model writes is never trusted: of HTML only tags that shape text are taken, and those without attributes; all
 * else is shown as it was written. DOMPurify then leaves no script, no style, no form, and no picture or link that the
 * browser would fetch by itself.
 */
import { Marked } from "../vendor/marked.js";
import purify from "../vendor/purify.js";
import { escaped } from "./escaped.js";
import { FORMULAS } from "./formulas.js";

const LONG = 20000; // characters of one open block from which on it is shown as plain text until it is closed
const RULES = {
  ALLOWED_TAGS: [
    ..."a b blockquote br code del div em h1 h2 h3 h4 h5 h6 hr i input li ol p pre s span strong sub sup".split(" "),
    ..."table tbody td th thead tr ul".split(" "),
  ],
  ALLOWED_ATTR: ["href", "class", "type", "checked", "disabled", "align", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
};

const BARE = /^<\/?(?:b|blockquote|br|code|del|em|h[1-6]|hr|i|li|ol|p|pre|s|strong|sub|sup|table|tbody|td|th|thead|tr|ul) *\/?>$/i;

const marked = new Marked({
  extensions: FORMULAS,
  renderer: { html: ({ text }) => text.replace(/<[^>]*>?/g, (/** @type {string} */ tag) => (BARE.test(tag) ? tag : escaped(tag))) },
});

purify.addHook("afterSanitizeAttributes", (/** @type {Element} */ node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  if (node.tagName === "INPUT" && node.getAttribute("type") !== "checkbox") node.remove();
});

/** The blocks of one text that grows. */
export class Blocks {
  constructor() {
    /** @type {string[]} HTML of the closed blocks */
    this.closed = [];
    this.open = "";
    this.done = 0;
    this.text = "";
  }

  /** Take the text as it is now; one that was changed at its beginning is read anew.
   * @param {string} text @param {boolean} ended */
  take(text, ended) {
    if (!text.startsWith(this.text.slice(0, this.done))) {
      this.closed = [];
      this.done = 0;
    }
    this.text = text;
    const rest = text.slice(this.done);
    if (rest.length > LONG && !ended && !rest.includes("\n\n")) {
      this.open = `<p>${escaped(rest)}</p>`;
      return this;
    }
    const tokens = marked.lexer(rest);
    let last = tokens.length - 1;
    while (last >= 0 && tokens[last].type === "space") last -= 1;
    const keep = ended ? tokens.length : Math.max(last, 0);
    for (const token of tokens.slice(0, keep)) {
      this.done += token.raw.length;
      if (token.type !== "space") this.closed.push(made([token]));
    }
    this.open = keep < tokens.length ? made(tokens.slice(keep)) : "";
    return this;
  }
}

/** @param {any[]} tokens */
function made(tokens) {
  return purify.sanitize(marked.parser(tokens), RULES);
}

/** Colour the code blocks under a node that have a language. The library is fetched when the first one is there.
 * @param {Element} node */
export async function colour(node) {
  const blocks = [...node.querySelectorAll("pre > code[class*='language-']:not(.hljs)")];
  if (!blocks.length) return;
  const { default: highlight } = await import("../vendor/highlight.js");
  for (const block of blocks) {
    const language = /language-([\w+#-]+)/.exec(block.className)?.[1] ?? "";
    if (!highlight.getLanguage(language)) continue;
    block.innerHTML = highlight.highlight(block.textContent ?? "", { language }).value;
    block.classList.add("hljs");
  }
}
