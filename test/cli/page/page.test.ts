import { source as axeSource } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../cli/deployment.ts';
import { page } from '../../../cli/page/page.ts';
import { factsWith } from '../../fakes/specs.ts';
import { assets, launch } from './browser.ts';
import { certificateWith, reportOf } from './reports.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
// Each open page is a process of the browser.
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser?.close());

/** Opens the page of a report. A script error or a blocked resource fails the test. */
async function open(
  report: Report,
  { timers = 'running' }: { readonly timers?: 'running' | 'stopped' } = {},
): Promise<Page & { readonly errors: string[] }> {
  const opened = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const errors: string[] = [];
  opened.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  opened.on('pageerror', (error) => void errors.push(String(error)));
  if (timers === 'stopped') {
    await opened.clock.install({ time: 0 });
    await opened.clock.pauseAt(1_000);
  }
  await opened.setContent(page(report, assets));
  return Object.assign(opened, { errors });
}

/** Returns the number of rows that the browser has laid out. */
const laidOut = (opened: Page) =>
  opened
    .locator('tbody th')
    .evaluateAll((cells) => cells.filter((cell) => cell.checkVisibility({ contentVisibilityAuto: true })).length);

const names = (opened: Page) =>
  opened.locator('tbody tr:not([hidden]) th').evaluateAll((cells) => cells.map((cell) => cell.firstChild?.textContent));

const rowOf = (opened: Page, name: string) => opened.locator(`tr:has(th[data-sort="${name}"])`);

/** Returns the number of ends that are not on the axis, by certificate. */
const marks = async (opened: Page): Promise<Readonly<Record<string, number>>> =>
  Object.fromEntries(
    await opened
      .locator('tbody tr')
      .evaluateAll((rows) =>
        rows
          .map(
            (row) =>
              [row.querySelector('th')?.firstChild?.textContent ?? '', row.querySelectorAll('.on').length] as const,
          )
          .filter(([, count]) => count > 0),
      ),
  );

/** Returns the violations that axe finds. Its script is not part of the page, so the policy of the page must not block it. */
async function violations(report: Report, colorScheme: 'light' | 'dark', width: number): Promise<readonly string[]> {
  const context = await browser.newContext({ bypassCSP: true, colorScheme, viewport: { width, height: 800 } });
  const opened = await context.newPage();
  await opened.setContent(page(report, assets));
  await opened.addScriptTag({ content: axeSource });
  const { violations: found } = await opened.evaluate(() =>
    (
      globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string; help: string }[] }> } }
    ).axe.run(),
  );
  return found.map(({ id, help }) => `${id}: ${help}`);
}

describe('the page', () => {
  test('shows certificates that need attention first, with what is wrong', async () => {
    const opened = await open(reportOf(50));
    expect((await names(opened)).slice(0, 2)).toEqual(['mail', 'login-1']);
    expect(await opened.locator('h2').textContent()).toBe('7 certificates need attention');
    expect(await opened.locator('article').first().innerText()).toMatch(
      /^mail, login-1, api-3 and 4 more\s+mail Less than 20 % of its lifetime is left\..*\s+CaaError: letsencrypt may not issue for mail\.example\.com\./s,
    );
    expect(opened.errors).toEqual([]);
  });

  test('marks the present, the window of the CA and the renewal time in each lifetime', async () => {
    const opened = await open({ ...reportOf(1), certificates: [certificateWith()] });
    const box = async (selector: string) => {
      const found = await opened.locator(`tbody ${selector}`).boundingBox();
      return { left: found?.x ?? 0, right: (found?.x ?? 0) + (found?.width ?? 0) };
    };
    const [passed, left, window, now] = [
      await box('.passed'),
      await box('.left'),
      await box('.window'),
      await box('.now'),
    ];
    // A third of the lifetime has passed, and the renewal is due when two thirds have.
    expect((passed.right - passed.left) / (left.right - passed.left)).toBeCloseTo(1 / 3, 1);
    expect(((window.left + window.right) / 2 - passed.left) / (left.right - passed.left)).toBeCloseTo(2 / 3, 1);
    expect(Math.abs(now.left - passed.right)).toBeLessThan(3);
    expect(await opened.locator('tbody svg').getAttribute('aria-label')).toBe(
      'Valid from 2026-01-30 12:00 to 2026-04-30 12:00 UTC, renewal due 2026-03-31 12:00 UTC, window of the CA 2026-03-30 12:00 to 2026-04-01 12:00 UTC',
    );
  });

  test('filters by words and by state, and tells how many certificates are left', async () => {
    const opened = await open(reportOf(50));
    await opened.getByLabel('Filter by name, CA or state').fill('shop -2');
    expect(await names(opened)).toEqual(['shop-2']);
    expect(await opened.getByRole('status').textContent()).toBe('1 of 50 certificates');
    await opened.getByLabel('Filter by name, CA or state').fill('');
    await opened.getByLabel('Show').selectOption('attention');
    expect(await names(opened)).toHaveLength(7);
    await opened.getByLabel('Show').selectOption('in progress');
    expect(await names(opened)).toEqual(['www-1']);
    await opened.getByLabel('Show').selectOption('paused');
    expect(await names(opened)).toEqual(['api-1']);
    await opened.getByLabel('Show').selectOption('due or failing');
    expect(await names(opened)).toEqual(['login']);
  });

  test('sorts by each column, with the keyboard too', async () => {
    const opened = await open(reportOf(50));
    await opened.getByRole('button', { name: 'Left' }).focus();
    await opened.keyboard.press('Enter');
    const left = () =>
      opened
        .locator('tbody tr td:nth-child(4)')
        .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('data-sort') ?? ''));
    expect(await left()).toEqual((await left()).toSorted());
    expect(await opened.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
    await opened.keyboard.press('Enter');
    expect(await left()).toEqual((await left()).toSorted().reverse());
  });

  test('describes certificates that fail by one cause once', async () => {
    const failure = { error: 'CaUnavailableError', cause: 'The CA is down.', count: 3, last: '2026-03-01T00:00:00Z' };
    const attention = ['3 attempts in a row have failed, the last one with CaUnavailableError.'];
    const certificates = ['a', 'b', 'c', 'd', 'e'].map((name) => certificateWith({ name, failure, attention }));
    const opened = await open({ ...reportOf(0), certificates });
    expect((await opened.locator('article').innerText()).split(/\n+/)).toEqual([
      'a, b, c and 2 more',
      attention[0],
      'CaUnavailableError: The CA is down.',
    ]);
  });

  test('describes certificates that fail by causes of their own together, and lists every cause, on paper too', async () => {
    const others = [certificateWith({ name: 'other', attention: ['An endpoint presents another certificate.'] })];
    const opened = await open({ ...reportOf(50), certificates: [...reportOf(50).certificates, ...others] });
    expect(await opened.locator('h2').textContent()).toBe('8 certificates need attention');
    expect(await opened.locator('article').count()).toBe(2);
    const last = opened.getByText('letsencrypt may not issue for login-8.example.com.');
    expect(await last.isVisible()).toBe(false);
    await opened.getByText('4 more', { exact: true }).click();
    expect(await last.isVisible()).toBe(true);
    await opened.getByText('4 more', { exact: true }).click();
    await opened.emulateMedia({ media: 'print' });
    expect(await last.isVisible()).toBe(true);
  });

  test('links to no log of Certificate Transparency for a certificate of a private CA', async () => {
    const opened = await open({ ...reportOf(1), certificates: [certificateWith({ current: factsWith() })] });
    expect(await opened.getByText('CT log').count()).toBe(0);
  });

  test('links to the last execution and to the logs of Certificate Transparency', async () => {
    const opened = await open({ ...reportOf(1), certificates: [certificateWith()] });
    const links = await opened
      .locator('tbody a')
      .evaluateAll((found) => found.map((each) => each.getAttribute('href')));
    expect(links[0]).toMatch(
      /^https:\/\/eu-west-1\.console\.aws\.amazon\.com\/states\/home\?region=eu-west-1#\/v2\/executions\/details\/arn:aws:states:/,
    );
    expect(links[1]).toBe('https://crt.sh/?serial=0a01');
  });

  test.each([0, 1, 5_000])('of %d certificates opens without an error', async (count) => {
    const opened = await open(reportOf(count));
    expect(await opened.locator('tbody tr').count()).toBe(count);
    expect(await opened.locator('h1').textContent()).toBe('Certificates of stack Certificates');
    expect(opened.errors).toEqual([]);
  });

  test('is printed without its filters', async () => {
    const opened = await open(reportOf(3));
    await opened.emulateMedia({ media: 'print' });
    expect(await opened.locator('form').isVisible()).toBe(false);
    expect(await opened.locator('tbody tr').first().isVisible()).toBe(true);
  });

  test.each([
    ['A4 in portrait', 718],
    ['A4 in landscape', 1047],
  ])('is printed on %s without a column that is cut', async (_, width) => {
    const opened = await open(reportOf(50));
    await opened.emulateMedia({ media: 'print' });
    await opened.setViewportSize({ width, height: 800 });
    const cut = await opened
      .locator('th, td')
      .evaluateAll((cells, edge) => cells.filter((cell) => cell.getBoundingClientRect().right > edge).length, width);
    expect(cut).toBe(0);
    const overflowing = await opened
      .locator('thead th, tbody td')
      .evaluateAll((cells) => cells.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length);
    expect(overflowing).toBe(0);
  });

  test('shows the lifetime of a certificate of six days beside one of 90 days', async () => {
    const opened = await open(reportOf(50));
    const box = (row: number, part: string) => opened.locator('tbody tr').nth(row).locator(part).boundingBox();
    const row = (await names(opened)).indexOf('shop');
    const [left, renewal] = [await box(row, '.left'), await box(row, '.renewal')];
    expect(renewal?.width).toBeLessThan(0.8 * (left?.width ?? 0));
  });

  test('ends the timelines where most certificates expire, and marks a certificate that is valid for longer', async () => {
    const opened = await open(reportOf(10));
    const width = async (name: string, part: string) =>
      (await rowOf(opened, name).locator(part).boundingBox())?.width ?? 0;
    const whole = await width('www', '.timeline');
    expect(await width('www', '.left')).toBeGreaterThan(whole / 3);
    expect((await width('mail-1', '.passed')) + (await width('mail-1', '.left'))).toBeCloseTo(whole, 0);
    expect(await marks(opened)).toEqual({ 'mail-1': 2 });
    // It is due in a year, which is not on the axis.
    const multiYear = rowOf(opened, 'mail-1');
    expect(await multiYear.locator('.renewal').count()).toBe(0);
    expect(await multiYear.locator('svg').getAttribute('aria-label')).toBe(
      'Valid from 2025-03-01 12:00 to 2028-02-29 12:00 UTC, renewal due 2027-03-01 12:00 UTC',
    );
    expect(await opened.getByText('goes on').isVisible()).toBe(true);
  });

  test('shows a fleet of certificates that are valid for years without a mark', async () => {
    const years = { current: factsWith({ notBefore: '2025-03-01T12:00:00Z', notAfter: '2028-03-01T12:00:00Z' }) };
    const opened = await open({ ...reportOf(1), certificates: [certificateWith(years), certificateWith(years)] });
    expect(await marks(opened)).toEqual({});
    expect(await opened.getByText('goes on').count()).toBe(0);
  });

  test('lays out the rows on the screen first, and then all of them, for screen readers and a search', async () => {
    const opened = await open(reportOf(1_000), { timers: 'stopped' });
    await expect.poll(() => laidOut(opened)).toBeLessThan(100);
    await opened.clock.runFor(1_000);
    expect(await laidOut(opened)).toBe(1_000);
    await opened.getByRole('button', { name: 'Name' }).click();
    await expect.poll(() => laidOut(opened)).toBeLessThan(100);
    await opened.clock.runFor(1_000);
    expect(await laidOut(opened)).toBe(1_000);
    const session = await opened.context().newCDPSession(opened);
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const count = (role: string) => nodes.filter((node) => node.role?.value === role).length;
    expect([count('table'), count('row'), count('rowheader'), count('columnheader')]).toEqual([1, 1_001, 1_000, 8]);
  });

  test('lays out all rows before it is printed', async () => {
    const opened = await open(reportOf(1_000), { timers: 'stopped' });
    await opened.emulateMedia({ media: 'print' });
    expect(await laidOut(opened)).toBe(1_000);
  });

  test('fits on the screen of a phone, with a label for each value', async () => {
    const opened = await open(reportOf(10));
    await opened.setViewportSize({ width: 390, height: 844 });
    expect(await opened.locator('html').evaluate(({ scrollWidth }) => scrollWidth)).toBe(390);
    const cut = await opened
      .locator('th, td')
      .evaluateAll((cells) => cells.filter((cell) => cell.getBoundingClientRect().right > 390).length);
    expect(cut).toBe(0);
    await expect(
      opened
        .locator('tbody td:nth-child(5)')
        .first()
        .evaluate((cell) => cell.ownerDocument.defaultView?.getComputedStyle(cell, '::before').content),
    ).resolves.toBe('"Renewal due"');
  });

  test.each([
    ['light', 1280, 50],
    ['dark', 1280, 10],
    ['light', 390, 10],
    ['dark', 390, 3],
  ] as const)(
    'in %s colours at a width of %d with %d certificates has no violation that axe finds',
    async (scheme, width, count) => {
      expect(await violations(reportOf(count), scheme, width)).toEqual([]);
    },
  );
});

describe('values from outside', () => {
  const planted = `<script>globalThis.hacked=1</script><img src=x onerror="hacked=1">"'<cwdb-action>&lt;style="color:red"`;

  test('are shown as text and never become elements or attributes', async () => {
    const certificate = certificateWith({
      name: planted,
      identifiers: [planted],
      issuer: planted,
      failure: { error: planted, cause: planted, count: 3, last: '2026-03-01T00:00:00Z' },
      attention: [planted],
      lease: { execution: planted, since: null },
      deliveries: [{ region: planted, arn: planted, current: false }],
    });
    const report = reportOf(1);
    const opened = await open({
      ...report,
      deployment: { ...report.deployment, stack: planted },
      certificates: [certificate],
    });
    expect(await names(opened)).toEqual([planted]);
    expect(await opened.locator('h1').textContent()).toBe(`Certificates of stack ${planted}`);
    expect(await opened.locator('article h3').textContent()).toBe(planted);
    expect(await opened.locator('img, cwdb-action, [onerror], [style]').count()).toBe(0);
    expect(await opened.locator('script').count()).toBe(1);
    expect(await opened.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(opened.errors).toEqual([]);
  });

  test('cannot run a script even if they were not escaped', async () => {
    const opened = await browser.newPage();
    await opened.setContent(
      page(reportOf(1), assets).replace('<main>', '<main><script>globalThis.hacked = 1</script>'),
    );
    expect(await opened.evaluate(() => 'hacked' in globalThis)).toBe(false);
  });
});
