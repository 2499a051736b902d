/** The public API of the server that this page came from. */
import { watch } from "./away.js";
import { signal } from "./html.js";
import { t } from "./words.js";

/** What went wrong, in the server's own sentences. */
export class Refused extends Error {
  /** @param {string} message @param {number} status @param {string} [code] */
  constructor(message, status, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const TOKEN = "abierto.token";
/** Whether the server wants a token that this page does not have. */
export const locked = signal(false);

/** @param {string} token */
export function useToken(token) {
  sessionStorage.setItem(TOKEN, token);
  locked.value = false;
}

/** @param {string} method @param {string} path @param {unknown} [body] @param {AbortSignal} [signal] */
export async function ask(method, path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = { "accept-language": document.documentElement.lang };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const packed = body === undefined ? undefined : JSON.stringify(body);
  const reply = await fetch(path, { method, headers, body: packed, signal }).catch(lost);
  if (reply.status === 401) locked.value = true;
  if (!reply.ok) throw await refusal(reply);
  return reply;
}

/** @param {string} path @param {AbortSignal} [signal] */
export async function get(path, signal) {
  return (await ask("GET", path, undefined, signal)).json();
}

/** @param {string} path @param {unknown} body */
export async function post(path, body) {
  return (await ask("POST", path, body)).json();
}

/** @param {string} path @param {unknown} body */
export async function put(path, body) {
  return (await ask("PUT", path, body)).json();
}

/** @param {string} path */
export async function remove(path) {
  return (await ask("DELETE", path)).json();
}

/** The server-sent events of an answer, one by one.
 * @param {Response} reply @returns {AsyncGenerator<any>} */
export async function* events(reply) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (reply.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(lost);
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const parts = rest.split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
        if (data.length && data[0] !== "[DONE]") yield JSON.parse(data.join("\n"));
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The browser says in its own words that nobody answered; whoever stopped the work knows.
 * @param {Error} problem @returns {never} */
function lost(problem) {
  if (problem.name === "AbortError") throw problem;
  watch();
  throw new Refused(t("away.title"), 0, "away");
}

/** @param {Response} reply */
async function refusal(reply) {
  try {
    const { error } = await reply.json();
    return new Refused(error.message, reply.status, error.code ?? "");
  } catch {
    return new Refused(`HTTP ${reply.status}`, reply.status);
  }
}
