/**
 * Returns untrusted text as a JSON string for a message that operators read and paste. It has printable ASCII only. Quotes, line breaks and
 * characters that change the direction of text are escaped. A text longer than `maximumLength` is cut.
 */
export function quoted(text: string, maximumLength = 255): string {
  const asEscape = (each: string) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.slice(0, maximumLength).replaceAll(/[^ !#-[\]-~]/g, asEscape)}"`;
}
