import fc from 'fast-check';
import { expect } from 'vitest';

/** Matches a character that no message, event or log line may have. It is written out, so that it does not repeat the expression of the code. */
export const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const sequence = fc.constantFrom(
  '\u001b[2J',
  '\u001b]8;;https://evil.example\u0007',
  '\u009b31m',
  '\u202e',
  '\u2066',
  '\u2069',
  '\u200f',
  '\r\n',
  '\n',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u0000',
  '\u0008',
  '\ufeff',
  '\ud800',
  '\udfff',
  '{"certificate":"other"}',
  '"',
  '\\',
  ' ',
);

/** Text with terminal escapes, bidirectional overrides, line breaks and halves of characters between other text. It shrinks to the shortest one. */
export const hostileText = fc
  .array(fc.oneof(sequence, fc.string({ maxLength: 10 }), fc.string({ unit: 'binary', maxLength: 5 })), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

/** Checks all texts in a value. */
export function expectPrintable(value: unknown): void {
  if (typeof value === 'string') expect(value).not.toMatch(unprintable);
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) expectPrintable(each);
}
