/** Work that is done once in each picture that the browser draws, however often it is asked for. */

/** @type {Set<() => void>} */
const waiting = new Set();

/** @param {() => void} work */
export function later(work) {
  if (!waiting.size) {
    requestAnimationFrame(() => {
      const now = [...waiting];
      waiting.clear();
      for (const one of now) one();
    });
  }
  waiting.add(work);
}
