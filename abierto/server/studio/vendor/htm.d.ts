/** Templates of htm, bound to the function that makes nodes. */
declare const htm: {
  bind<Node>(made: (type: unknown, props: Record<string, unknown> | null, ...children: never[]) => Node):
    (strings: TemplateStringsArray, ...values: unknown[]) => Node;
};
export default htm;
