import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const page = readFileSync('SECURITY.md', 'utf8');
const threats = page
  .slice(page.indexOf('## Threats'), page.indexOf('## What is not protected'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (---|threat)/.test(line));

describe('SECURITY.md', () => {
  test('names at least one test for each threat', () => {
    expect(threats.length).toBeGreaterThan(10);
    expect(threats.filter((line) => !/`test\/[\w./-]+` "[^"]+" \|$/.test(line))).toEqual([]);
  });

  test.each([...page.matchAll(/`(test\/[\w./-]+)` "([^"]+)"/g)].map(([, file = '', title = '']) => [file, title]))(
    'names a test that %s has: %s',
    (file, title) => {
      expect(existsSync(file)).toBe(true);
      const text = readFileSync(file, 'utf8');
      expect(["'", '`', '"'].some((quote) => text.includes(`${quote}${title}${quote}`))).toBe(true);
    },
  );
});
