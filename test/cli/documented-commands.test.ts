import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';

const pages = ['README.md', 'RUNBOOK.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const { commands } = createProgram(
  '1.0.0',
  () => {
    throw new Error('No command runs here.');
  },
  () => {},
);

/** Commands of the command line in a page, without the comments beside them. */
const documented = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/npx cdk-perennial ([a-z][^\n`|#"]*)/g)].map(
    ([, text = '']) => [page, text.trim()] as const,
  ),
);

test('the command line has every command and option that the pages show', () => {
  expect(documented.length).toBeGreaterThan(40);
  const unknown = documented.filter(([, text]) => {
    const [name, ...words] = text.split(/\s+/);
    const command = commands.find((each) => each.name() === name);
    const known = command?.options.flatMap(({ long, short }) => [long, short]) ?? [];
    return !command || words.some((word) => word.startsWith('-') && !known.includes(word));
  });
  expect(unknown).toEqual([]);
});
