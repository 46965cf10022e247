import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { page } from '../../../cli/page/page.ts';
import { assets, launch } from './browser.ts';
import { reportOf } from './reports.ts';

// Records the pictures of the page of `status --html` in docs/images. It needs network access, because it runs sharp-cli (npm), which reduces the
// colours to a palette.

const images = join(import.meta.dirname, '..', '..', '..', 'docs', 'images');
const folder = mkdtempSync(join(tmpdir(), 'perennial-pictures-'));
const browser = await launch();
try {
  for (const count of [3, 50, 1_000])
    for (const colorScheme of ['light', 'dark'] as const) {
      const opened = await browser.newPage({ colorScheme, viewport: { width: 1280, height: count < 10 ? 710 : 800 } });
      await opened.setContent(page(reportOf(count), assets));
      if (count === 1_000) await opened.getByRole('button', { name: 'Name' }).click();
      const file = join(folder, `page-${count}-${colorScheme}.png`);
      await opened.screenshot({ path: file });
      await opened.close();
      const palette = ['--format', 'png', '--palette', '--colors', '256', '--compressionLevel', '9'];
      execFileSync('npx', ['--yes', 'sharp-cli@5.2.0', '--input', file, '--output', images, ...palette]);
      const picture = join(images, `page-${count}-${colorScheme}.png`);
      process.stdout.write(`${picture}: ${statSync(picture).size} bytes\n`);
    }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
