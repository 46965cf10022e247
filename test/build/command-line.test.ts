import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildCommandLine } from '../../build/command-line.ts';

test('a second build of the same command line writes no file, because a command may be running', async () => {
  const out = mkdtempSync(join(tmpdir(), 'perennial-command-line-'));
  try {
    await buildCommandLine(out);
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).map((file) => join(out, file));
    const written = files.filter((file) => statSync(file).isFile());
    expect(written).toHaveLength(5);
    const earlier = new Date('2026-01-01T00:00:00Z');
    for (const file of written) utimesSync(file, earlier, earlier);
    await buildCommandLine(out);
    for (const file of written) expect(statSync(file).mtime, file).toEqual(earlier);
  } finally {
    rmSync(out, { recursive: true });
  }
});
