/** A text that is HTML already. Only `html` makes one, so every value that came from outside is escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | null | undefined | readonly Value[];

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes a text for elements and for attribute values in quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => references[character] ?? '');

/** Returns HTML from a template. Values are escaped, unless they are HTML themselves. Lists are joined, and `null` is empty. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, index) => part + markup(values[index])).join(''));
}

function markup(value: Value): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map((each: Value) => markup(each)).join('');
  return escaped(String(value));
}
