/** A conversation as a file: Markdown or one page of HTML of the branch that is shown, or JSON with every branch. */
import { post } from "../../lib/api.js";
import { escaped } from "../../lib/escaped.js";
import { Blocks } from "../../lib/markdown.js";
import { language, t } from "../../lib/words.js";
import { refresh } from "./archive.js";
import { path } from "./talk.js";

/** @typedef {import("./talk.js").Conversation} Conversation */

const STYLE = `body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif }
h2 { font-size: 1rem; color: #555 }
p { overflow-wrap: anywhere }
pre { overflow: auto; background: #f3f3f0; padding: 1rem }
img { max-width: 100% }
table { border-collapse: collapse }
td, th { border: 1px solid #ccc; padding: 0.3rem 0.6rem }`;
/** A picture is data; an address would be fetched by whoever opens the saved page. */
const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
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

/** @param {Conversation} talk */
function markdown(talk) {
  const lines = [`# ${talk.title}`, ""];
  if (talk.system) lines.push(`> ${talk.system.replace(/\n/g, "\n> ")}`, "");
  for (const one of path(talk)) lines.push(`**${speaker(one)}**`, "", one.content, "");
  return lines.join("\n");
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
  const body = `<h1>${escaped(talk.title)}</h1>\n${system}${said.join("\n")}`;
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

/** Keep a conversation that a file holds: one that was saved here, or any JSON with `messages` of role and content.
 * Raises Error in the person's words, Refused.
 * @param {File} file @returns {Promise<number>} its number */
export async function bring(file) {
  const found = await file.text().then(JSON.parse).catch(() => null);
  const fine = (/** @type {any} */ one) => ["system", "user", "assistant"].includes(one?.role) && typeof one.content === "string";
  if (!Array.isArray(found?.messages) || !found.messages.length || !found.messages.every(fine)) {
    throw new Error(t("chat.no_conversation", { name: file.name }));
  }
  const messages = found.messages.map((/** @type {any} */ one) => ({ role: one.role, content: one.content }));
  const title = String(found.title ?? "") || file.name.replace(/\.json$/, "");
  const tree = found.tree?.nodes ? found.tree : null;
  for (const one of Object.values(tree?.nodes ?? {})) {
    if (one?.files) one.files = [one.files].flat().filter((file) => file?.text || PICTURE.test(String(file?.image)));
  }
  const { id } = await post("/abierto/v1/conversations", { title, messages, tree });
  await refresh();
  return id;
}
