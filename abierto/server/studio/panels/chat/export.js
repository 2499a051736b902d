/** A conversation as a file: Markdown of the branch that is shown, which any program can read. */
import { t } from "../../lib/words.js";
import { path } from "./store.js";

/** @param {import("./store.js").Conversation} talk */
export function download(talk) {
  const lines = [`# ${talk.title}`, ""];
  if (talk.system) lines.push(`> ${talk.system.replace(/\n/g, "\n> ")}`, "");
  for (const one of path(talk)) lines.push(`**${one.role === "user" ? t("chat.you") : (one.model ?? "")}**`, "", one.content, "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\n")], { type: "text/markdown" }));
  link.download = `${talk.title.replace(/[^\p{L}\p{N} _-]/gu, "").trim() || "abierto"}.md`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
