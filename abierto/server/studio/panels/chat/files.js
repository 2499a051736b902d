/** What is attached to a message: pictures, made small enough to send, and texts. Nothing is kept but on this computer. */
import { html } from "../../lib/html.js";
import { number, t } from "../../lib/words.js";

/** @typedef {{name: string, image?: string, text?: string}} Attached image: a data URL */

const EDGE = 1024; // pixels: models that see take no more
const LONGEST = 2_000_000; // characters of a text

/** Read what a person chose. Raises Error in the person's words.
 * @param {Iterable<File>} chosen @returns {Promise<Attached[]>} */
export async function read(chosen) {
  return Promise.all([...chosen].map((file) => (file.type.startsWith("image/") ? picture(file) : words(file))));
}

/** @param {File} file */
async function picture(file) {
  const found = await createImageBitmap(file).catch(() => {
    throw new Error(t("chat.no_picture", { name: file.name }));
  });
  const scale = Math.min(1, EDGE / Math.max(found.width, found.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(found.width * scale));
  canvas.height = Math.max(1, Math.round(found.height * scale));
  const paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  paper.fillStyle = "white"; // JPEG knows nothing transparent
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(found, 0, 0, canvas.width, canvas.height);
  return { name: file.name, image: canvas.toDataURL("image/jpeg", 0.9) };
}

/** @param {File} file */
async function words(file) {
  const text = file.size > LONGEST ? "" : await file.text();
  if (file.size > LONGEST) throw new Error(t("chat.long_file", { name: file.name, most: number(LONGEST) }));
  if (text.includes("\0") || text.includes("\ufffd")) throw new Error(t("chat.no_text", { name: file.name }));
  return { name: file.name, text };
}

/** What a message says in words: the texts first, each with its name, then what was said.
 * @param {{content: string, files?: Attached[]}} message */
export function worded({ content, files = [] }) {
  const texts = files.filter((one) => one.text !== undefined).map((one) => `${one.name}:\n\n${one.text}\n\n`);
  return texts.join("") + content;
}

/** A message's content as the API takes it: pictures, then words.
 * @param {{content: string, files?: Attached[]}} message */
export function parts(message) {
  const images = (message.files ?? []).filter((one) => one.image).map((one) => ({ type: "input_image", image_url: one.image }));
  return images.length ? [...images, { type: "input_text", text: worded(message) }] : worded(message);
}

/** @param {{files?: Attached[], remove?: (place: number) => void}} props */
export function Files({ files = [], remove }) {
  if (!files.length) return null;
  return html`<ul class="files">
    ${files.map(
      (one, place) =>
        html`<li>
          ${one.image ? html`<img src=${one.image} alt=${one.name} />` : html`<span>${one.name}</span>`}
          ${
            remove &&
            html`<button class="quiet" type="button" aria-label=${t("chat.detach", { name: one.name })} onClick=${() => remove(place)}>
              ×
            </button>`
          }
        </li>`,
    )}
  </ul>`;
}
