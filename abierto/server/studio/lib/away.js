/** Whether the server is there, and what happens when it comes back. */
import { signal } from "./html.js";

const MARK = new URL("../files.json", import.meta.url); // there as long as the server has this version of the page
const EVERY = 1000; // milliseconds

/** Whether the server does not answer. */
export const away = signal(false);
/** How often it came back: what was begun anew must be asked anew. */
export const back = signal(0);

let watching = false;

/** See whether the server is there, and wait for it. One that comes back with another version brings its own page. */
export async function watch() {
  if (watching) return;
  watching = true;
  for (;;) {
    const reply = await fetch(MARK, { cache: "no-store" }).catch(() => null);
    if (reply?.status === 404) return location.reload();
    if (reply) break;
    away.value = true;
    await new Promise((done) => setTimeout(done, EVERY));
  }
  watching = false;
  if (!away.value) return;
  away.value = false;
  back.value += 1;
}
