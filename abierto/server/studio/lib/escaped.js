/** Text made harmless where HTML is read.
 * @param {string} text */
export function escaped(text) {
  return text.replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter] ?? letter);
}

/** The text again.
 * @param {string} html */
export function unescaped(html) {
  const letters = /** @type {Record<string, string>} */ ({ amp: "&", lt: "<", gt: ">", quot: '"' });
  return html.replace(/&(amp|lt|gt|quot);/g, (_, name) => letters[name]);
}
