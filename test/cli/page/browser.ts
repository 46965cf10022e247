import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';
import type { PageAssets } from '../../../cli/page/page.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'cli', 'page');

export const assets: PageAssets = {
  style: readFileSync(join(folder, 'style.css'), 'utf8'),
  script: readFileSync(join(folder, 'script.js'), 'utf8'),
};

/** Starts a headless browser. It has no sandbox, because CI may run as root. */
export const launch = async (): Promise<Browser> =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'] });
