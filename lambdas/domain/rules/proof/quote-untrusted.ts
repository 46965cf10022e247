/**
 * Text that somebody else wrote, for a message that people read and paste: a JSON string of printable ASCII alone, without a quote, a
 * line break or a letter that turns the line around in it. Longer texts are cut.
 */
export function quoted(text: string, most = 255): string {
  const asEscape = (each: string) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.slice(0, most).replaceAll(/[^ !#-[\]-~]/g, asEscape)}"`;
}
