import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

// An app without `outdir` writes its cloud assembly to the temporary folder and leaves it there. Each test file gets a temporary folder of its own,
// which is removed after its tests. Vitest runs this file before each test file.

const before = tmpdir();
const folder = mkdtempSync(join(before, 'perennial-infra-'));
process.env.TMPDIR = folder;

afterAll(() => {
  process.env.TMPDIR = before;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
