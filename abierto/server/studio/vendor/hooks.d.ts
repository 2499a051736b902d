/** What the studio takes of preact's hooks. */
export function useState<Value>(first: Value | (() => Value)): [Value, (next: Value | ((before: Value) => Value)) => void];
export function useRef<Value>(first: Value): { current: Value };
export function useEffect(work: () => void | (() => void), depends?: readonly unknown[]): void;
export function useLayoutEffect(work: () => void | (() => void), depends?: readonly unknown[]): void;
