import { expect } from 'vitest';
import { ConfigError } from '../../infra/index.ts';

/** A mistake by its path and by words that its sentence has to contain. */
export type Expected = readonly [path: string, ...words: string[]];

/** Returns the mistakes that `run` is rejected with. Other errors are thrown. */
export function mistakesOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

/** Asserts that there are exactly these mistakes, in this order and in the form `path: what is wrong; what is allowed`. */
export function expectMistakes(run: () => unknown, ...expected: readonly Expected[]): void {
  const lines = mistakesOf(run);
  expect(lines.map(pathOf)).toEqual(expected.map(([path]) => path));
  for (const [index, [path, ...words]] of expected.entries()) {
    const sentence = lines[index]?.slice(path.length) ?? '';
    expect(sentence).toMatch(/^: \S.*; \S.*$/);
    for (const word of words) expect(sentence).toContain(word);
  }
}

/** The path ends at the first colon that a space follows. */
const pathOf = (line: string): string => line.slice(0, line.indexOf(': '));
