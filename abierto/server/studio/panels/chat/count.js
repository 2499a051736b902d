/** Tokens, counted by the server as the model reads them. */
import { post } from "../../lib/api.js";

/** How many tokens a conversation is. The model is loaded if it is not. Raises Refused.
 * @param {string} model @param {string} system @param {{role: string, content: string}[]} messages
 * @returns {Promise<number>} */
export async function count(model, system, messages) {
  const all = system ? [{ role: "system", content: system }, ...messages] : messages;
  return (await post("/abierto/v1/count", { model, task: "chat", request: { messages: all } })).tokens;
}
