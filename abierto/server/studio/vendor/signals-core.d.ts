/** What the studio takes of signals. */
export interface Signal<Value> {
  value: Value;
  peek(): Value;
}
export function signal<Value>(first: Value): Signal<Value>;
export function computed<Value>(made: () => Value): { readonly value: Value; peek(): Value };
export function effect(work: () => void | (() => void)): () => void;
export function batch<Value>(work: () => Value): Value;
