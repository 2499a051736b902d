/** A conversation as a file: Markdown of the branch that is shown, one page of HTML, or JSON. All of them can be brought in
 * again (`bring.js`), the last two with every branch. */
import { escaped } from "../../lib/escaped.js";
import { Blocks } from "../../lib/markdown.js";
import { language, t } from "../../lib/words.js";
import { path } from "./talk.js";

/** @typedef {import("./talk.js").Conversation} Conversation */

const STYLE = `body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif }
h2 { font-size: 1rem; color: #555 }
p { overflow-wrap: anywhere }
pre { overflow: auto; background: #f3f3f0; padding: 1rem }
img { max-width: 100% }
table { border-collapse: collapse }
td, th { border: 1px solid #ccc; padding: 0.3rem 0.6rem }`;
/** How each kind of file is made. */
export const KINDS = {
  md: { type: "text/markdown", made: markdown },
  html: { type: "text/html", made: page },
  json: { type: "application/json", made: json },
};

/** @param {Conversation} talk @param {keyof typeof KINDS} kind */
export function download(talk, kind) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([KINDS[kind].made(talk)], { type: KINDS[kind].type }));
  link.download = `${talk.title.replace(/[^\p{L}\p{N} _-]/gu, "").trim() || "abierto"}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** What stands before each message in Markdown, and is not seen where that is read as a page. */
export const MARK = "<!-- abierto: ";

/** Words that hold such a mark themselves, so that it is not taken for one.
 * @param {string} words */
function kept(words) {
  return words.replaceAll(MARK, "<!-- \\abierto: ");
}

/** @param {Conversation} talk */
function markdown(talk) {
  const parts = [`# ${talk.title}\n`];
  if (talk.system) parts.push(`${MARK}system -->\n> ${talk.system.replace(/\n/g, "\n> ")}\n`);
  for (const one of path(talk)) parts.push(`${MARK}${one.role} -->\n**${speaker(one)}**\n\n${kept(one.content)}\n`);
  return parts.join("\n");
}

/** @param {Conversation} talk */
function page(talk) {
  const system = talk.system ? `<blockquote>${escaped(talk.system)}</blockquote>` : "";
  const said = path(talk).map((one) => {
    const files = (one.files ?? []).map(({ name, image }) => (image ? `<p><img src="${escaped(image)}" alt=""></p>` : `<p>${escaped(name)}</p>`));
    // The same cleaning as on the page: what a model wrote does nothing in the file either.
    const words = one.role === "user" ? `<p>${escaped(one.content)}</p>` : new Blocks().take(one.content, true).closed.join("\n");
    return `<h2>${escaped(speaker(one))}</h2>\n${files.join("")}${words}`;
  });
  const head = `<meta charset="utf-8"><title>${escaped(talk.title)}</title><style>${STYLE}</style>`;
  const whole = `<data id="conversation" value="${escaped(json(talk))}"></data>`;
  const body = `<h1>${escaped(talk.title)}</h1>\n${system}${said.join("\n")}\n${whole}`;
  return `<!doctype html>\n<html lang="${language.value}"><head>${head}</head>\n<body>${body}</body></html>\n`;
}

/** @param {Conversation} talk */
function json(talk) {
  const messages = path(talk).map((one) => ({ role: one.role, content: one.content }));
  const all = talk.system ? [{ role: "system", content: talk.system }, ...messages] : messages;
  const tree = { nodes: talk.nodes, leaf: talk.leaf, sampling: talk.sampling };
  return JSON.stringify({ title: talk.title, messages: all, tree }, null, 1);
}

/** @param {{role: string, model?: string}} one */
function speaker(one) {
  return one.role === "user" ? t("chat.you") : (one.model ?? "");
}
