/**
 * Runs of spaces and of characters that no message, event or log line has. `C` are control characters, with line breaks and the escape character of
 * terminals, format characters such as bidirectional overrides, and half surrogate pairs. `Z` are spaces and the separators of lines and paragraphs.
 */
const unprintable = /[\p{C}\p{Z}]+/gu;

/**
 * Returns text from outside for a message, an event or a log line. It has one line, at most `longest` characters, and one space in place of each run
 * of characters that cannot be printed. The text is cut before the expression reads it, so that its length does not matter.
 */
export function printable(text: string, longest: number): string {
  const line = text
    .slice(0, 2 * longest)
    .replaceAll(unprintable, ' ')
    .trim();
  return line.length > longest ? `${wholeCharacters(line, longest - 1)}…` : line;
}

/** Cuts text without cutting a character of two UTF-16 units. */
function wholeCharacters(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
