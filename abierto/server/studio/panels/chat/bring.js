/** A conversation out of a file: one that was saved here, in whichever form, or any JSON with `messages` of role and content. */
import { post } from "../../lib/api.js";
import { unescaped } from "../../lib/escaped.js";
import { t } from "../../lib/words.js";
import { refresh } from "./archive.js";
import { MARK } from "./export.js";

/** A picture is data; an address would be fetched by whoever opens the saved page. */
const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
const MESSAGE = new RegExp(`^${MARK}(system|user|assistant) -->\\n`, "m");

/** Keep the conversation that a file holds. Raises Error in the person's words, Refused.
 * @param {File} file @returns {Promise<number>} its number */
export async function bring(file) {
  const text = (await file.text()).replace(/\r\n/g, "\n");
  const found = fromJson(text) ?? fromPage(text) ?? fromMarkdown(text);
  const fine = (/** @type {any} */ one) => ["system", "user", "assistant"].includes(one?.role) && typeof one.content === "string";
  if (!Array.isArray(found?.messages) || !found.messages.length || !found.messages.every(fine)) {
    throw new Error(t("chat.no_conversation", { name: file.name }));
  }
  const messages = found.messages.map((/** @type {any} */ one) => ({ role: one.role, content: one.content }));
  const title = String(found.title ?? "") || file.name.replace(/\.(json|html|md)$/, "");
  const tree = found.tree?.nodes ? found.tree : null;
  for (const one of Object.values(tree?.nodes ?? {})) {
    if (one?.files) one.files = [one.files].flat().filter((file) => file?.text || PICTURE.test(String(file?.image)));
  }
  const { id } = await post("/abierto/v1/conversations", { title, messages, tree });
  await refresh();
  return id;
}

/** @param {string} text @returns {any} */
function fromJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Of a page that was saved here. It is not read as a page, so that nothing in it is done.
 * @param {string} text */
function fromPage(text) {
  if (!text.startsWith("<!doctype html>")) return null; // other files may speak of such pages
  return fromJson(unescaped(/<data id="conversation" value="([^"]*)">/.exec(text)?.[1] ?? ""));
}

/** Of Markdown that was saved here: a title, and each message after its mark and the name of who said it.
 * @param {string} text */
function fromMarkdown(text) {
  const [head, ...parts] = text.split(MESSAGE);
  const messages = [];
  /** @type {Record<string, any>} */
  const nodes = {};
  let leaf = "";
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const role = parts[at];
    const [, model, said] = /^\*\*(.*)\*\*\n\n([^]*?)\n{0,2}$/.exec(parts[at + 1]) ?? ["", "", parts[at + 1].trimEnd()];
    const content = role === "system" ? said.replace(/^> ?/gm, "") : said.replaceAll("<!-- \\abierto: ", MARK);
    messages.push({ role, content });
    if (role === "system") continue;
    nodes[at] = { id: String(at), parent: leaf, role, content, ...(role === "assistant" && { model }) };
    leaf = String(at);
  }
  return { title: /^# (.*)$/m.exec(head)?.[1], messages, tree: { nodes, leaf } };
}
