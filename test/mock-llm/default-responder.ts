export interface MockMessage {
  role: string;
  content: unknown;
}

/** Writes the text of a chat completion from its messages. */
export type Responder = (messages: MockMessage[]) => string;

/** The text of a message, whether it came as a string or in parts. */
export function textOf({ content }: MockMessage): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as { text?: unknown }[]).map(({ text }) => (typeof text === 'string' ? text : '')).join('');
}

/** Quotes the first sentence of the first source where there are sources, else repeats the last message. */
export const defaultResponder: Responder = (messages) => {
  const last = textOf(messages.at(-1) ?? { role: 'user', content: '' });
  const source = /<(source-[0-9a-f]+) number="1"[^>]*>\n([^]*?)\n<\/\1>/.exec(last)?.[2];
  if (source === undefined) return `You said: ${last.slice(0, 400)}`;
  const sentence = source.split('\n').find((line) => line.length > 20 && !line.startsWith('#')) ?? source;
  const quote = /^.{10,}?[.!?。！？](?=\s|$)/.exec(sentence)?.[0] ?? sentence;
  return `${quote} [1: "${quote}"]`;
};

/** An object that the JSON schema allows, the same for the same schema. */
export function exampleOf(schema: unknown): unknown {
  const {
    type,
    properties,
    items,
    enum: values,
    anyOf,
  } = (schema ?? {}) as {
    type?: string;
    properties?: Record<string, unknown>;
    items?: unknown;
    enum?: unknown[];
    anyOf?: unknown[];
  };
  if (anyOf) return exampleOf(anyOf[0]);
  if (values) return values[0];
  if (type === 'object' || properties) {
    return Object.fromEntries(
      Object.entries(properties ?? {}).map(([name, inner]) => [name, exampleOf(inner)]),
    );
  }
  if (type === 'array') return [exampleOf(items)];
  if (type === 'integer' || type === 'number') return 1;
  if (type === 'boolean') return true;
  return 'example';
}
