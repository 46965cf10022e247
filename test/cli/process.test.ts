import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { reportOf } from './page/reports.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:Report';
const found = {
  ResourceTagMappingList: [{ ResourceARN: arn, Tags: [{ Key: 'perennial:stack', Value: 'Certificates' }] }],
};

/** Answers the two calls of `status`. */
let aws: Server;
beforeAll(async () => {
  aws = createServer((request, response) => {
    request.resume();
    const reply = request.headers['x-amz-target'] ? found : { ...reportOf(5_000), next: null };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
  });
  await once(aws.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => aws?.close());

/** Starts the command line with a pipe as its output, as a shell does. */
function start(args: readonly string[], variables: Readonly<Record<string, string>> = {}): ChildProcess {
  const { port } = aws.address() as AddressInfo;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = {
    ...{ PATH, NODE_COMPILE_CACHE },
    ...{ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_REGION: 'eu-west-1' },
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', ...variables },
  };
  return spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Returns what an ended command has printed, and its exit code. */
async function run(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const child = start(args, variables);
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('The command has no output.');
  const [out, messages, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')]);
  return { out, messages, code };
}

describe('status of 5,000 certificates in a pipe', () => {
  test('ends without an error when its reader closes the pipe after the first line', async () => {
    const child = start(['status']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const [messages, [code]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'close')]);
    expect({ messages, code }).toEqual({ messages: '', code: 0 });
  });

  test('prints complete JSON although its exit code is 1', async () => {
    const { out, code } = await run(['status', '--json']);
    expect((JSON.parse(out) as ReturnType<typeof reportOf>).certificates).toHaveLength(5_000);
    expect(code).toBe(1);
  });

  test.each([
    [{}, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ NO_COLOR: '1' }, false],
  ])('is styled with %j: %s', async (variables, styled) => {
    expect((await run(['status'], variables)).out.includes('\x1b[')).toBe(styled);
  });
});

describe('the command line', () => {
  /** Runs the first file of the command line with this version of Node.js, beside a command line that prints a word. */
  async function start(version: string) {
    const folder = mkdtempSync(join(tmpdir(), 'perennial-start-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    cpSync(join(import.meta.dirname, '..', '..', 'cli', 'start.mjs'), join(folder, 'main.mjs'));
    writeFileSync(join(folder, 'command-line.mjs'), "console.log('runs');");
    const other = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "${version}" } })`;
    const child = spawn(process.execPath, ['--import', other, join(folder, 'main.mjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, messages, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { out, messages, code };
  }
  const needs = /^cdk-perennial needs Node\.js 22\.18 or newer, and this is \S+ \(.+\)\. Install a newer one\.\n$/;

  test('says which Node.js it needs, and ends if an older one cannot load it', async () => {
    const { out, messages, code } = await start('20.19.0');
    expect(messages).toMatch(needs);
    expect({ out, code }).toEqual({ out: '', code: 2 });
  });

  test.each(['22.0.0', '22.17.1'])('says which Node.js it needs, and runs with %s', async (version) => {
    const { out, messages, code } = await start(version);
    expect(messages).toMatch(needs);
    expect({ out, code }).toEqual({ out: 'runs\n', code: 0 });
  });

  test.each(['22.18.0', '24.1.0'])('runs with %s without a message', async (version) => {
    expect(await start(version)).toEqual({ out: 'runs\n', messages: '', code: 0 });
  });
});
