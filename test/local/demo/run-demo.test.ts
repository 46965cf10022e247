import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Facts } from '../../../local/demo/facts.ts';
import { runDemo } from '../../../local/demo/run-demo.ts';
import type { Screen } from '../../../local/demo/screen.ts';
import type { LocalEnvironment } from '../../../local/environment.ts';

type Demonstration = (facts: Facts, started: (local: LocalEnvironment) => void) => Promise<void>;

let stops: number;
let printed: string[];
let written: string[];
let interrupt: () => void;
let interruption: Promise<void>;
beforeEach(() => {
  local.folder = mkdtempSync(join(tmpdir(), 'kept-'));
  [stops, printed, written] = [0, [], []];
  interruption = new Promise((resolve) => {
    interrupt = resolve;
  });
});

afterEach(() => rmSync(local.folder, { recursive: true, force: true }));

const local = {
  variables: { AWS_ENDPOINT_URL: 'http://localhost:1' },
  folder: '',
  pebble: {},
  stop: async () => {
    stops += 1;
  },
} as unknown as LocalEnvironment;
const screen = {
  columns: 80,
  print: (text) => void printed.push(text),
  bold: (text) => text,
  dim: (text) => text,
  release: () => undefined,
} as Screen;

const runWith = (demonstration: Demonstration, options: { readonly keep?: boolean; readonly json?: boolean } = {}) =>
  runDemo(
    { config: 'certificates.ts', keep: false, json: false, verbose: false, ...options },
    {
      demonstrate: (_, facts, { started }) => demonstration(facts, started),
      screen,
      interruption,
      write: (text) => void written.push(text),
    },
  );

const fails: Demonstration = async (_, started) => {
  started(local);
  throw new Error('The renewal of www failed');
};
const works: Demonstration = async (_, started) => started(local);

test('a demo that works stops the environment and ends with 0', async () => {
  expect(await runWith(works)).toBe(0);
  expect(stops).toBe(1);
  expect(printed.join('\n')).toContain('All of it worked');
  expect(written).toEqual([]);
});

test('a demo that fails shows its error and stops the environment even with --keep', async () => {
  expect(await runWith(fails, { keep: true, json: true })).toBe(1);
  expect(stops).toBe(1);
  const { error, variables } = JSON.parse(written.join(''));
  expect({ error, variables }).toEqual({ error: 'The renewal of www failed', variables: undefined });
  expect(printed.join('\n')).toMatch(/^\nThe demo failed after [\d.]+ s\.\n\nThe renewal of www failed$/);
});

test('a demo in which one renewal failed shows it after everything else, with its time and sentences, and ends with 1', async () => {
  const failure = {
    name: 'api',
    seconds: 4.25,
    error: 'CaaError',
    cause: 'No order was placed. The CAA records forbid it.\nAdd the CA to the records.',
    execution: 'arn:aws:states:us-east-1:000000000000:execution:Perennial-renewal:api-1',
  };
  const partly: Demonstration = async (facts, started) => {
    started(local);
    facts.failures = [failure];
  };
  expect(await runWith(partly, { json: true })).toBe(1);
  const text = printed.join('\n');
  expect(text).toContain(
    '\napi failed after 4.3 s: CaaError\n  No order was placed. The CAA records forbid it.\n  Add the',
  );
  expect(text).toMatch(/0 issued, 1 failed, in [\d.]+ s\.$/);
  expect(JSON.parse(written.join(''))).toMatchObject({ failures: [failure] });
  expect(stops).toBe(1);
});

test('a demo with --keep stops the environment at Ctrl-C and ends with 0', async () => {
  const ended = runWith(works, { keep: true, json: true });
  await expect.poll(() => printed.join('\n')).toContain('The environment runs until Ctrl-C');
  expect(stops).toBe(0);
  expect(JSON.parse(written.join('')).variables).toMatchObject(local.variables);
  const [, file = ''] = /source (\S+)/.exec(printed.join('\n')) ?? [];
  expect(readFileSync(file, 'utf8')).toContain("export AWS_ENDPOINT_URL='http://localhost:1'\n");
  expect(printed.join('\n')).toContain('--break dns');
  interrupt();
  expect(await ended).toBe(0);
  expect(stops).toBe(1);
});

describe('a demo that is interrupted', () => {
  test('ends with 130 if the end of the local environment fails a step before the signal is handled', async () => {
    const failing: Demonstration = async (_, started) => {
      started(local);
      setTimeout(() => interrupt(), 20);
      throw new Error('socket hang up');
    };
    expect(await runWith(failing)).toBe(130);
    expect(stops).toBe(1);
    expect(printed.join('\n')).not.toContain('failed');
  });

  test('ends with 130 even if the current step fails while the environment is stopped', async () => {
    let fail: (reason: Error) => void = () => undefined;
    const stopping = { ...local, stop: async () => fail(new Error('ECONNREFUSED')) };
    const ended = runWith(async (_, started) => {
      started(stopping);
      await new Promise((_resolve, reject) => {
        fail = reject;
      });
    });
    interrupt();
    expect(await ended).toBe(130);
    expect([printed, written]).toEqual([[], []]);
  });

  test('ends with 130 when the environment has not started yet', async () => {
    const ended = runWith(() => new Promise(() => undefined));
    interrupt();
    expect(await ended).toBe(130);
  });

  test('ends with 130 and prints why the environment could not be stopped', async () => {
    const broken = { ...local, stop: () => Promise.reject(new Error('ENOTEMPTY')) };
    const ended = runWith(async (_, started) => {
      started(broken);
      await new Promise(() => undefined);
    });
    interrupt();
    expect(await ended).toBe(130);
    expect(printed).toEqual(['Error: ENOTEMPTY']);
  });
});
