import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process that cannot outlive this one (see tether.py). */
export interface TetheredProcess {
  name: string;
  /** Standard output and error of the command. */
  logFile: string;
  /** Process id of the tether; the command is its child. */
  pid: number;
  /** Resolves when the command, and everything it started, is gone. */
  stop(): Promise<void>;
  /** The end of the log, for an error message. */
  lastLines(): string;
  hasEnded(): boolean;
}

interface TetherOptions {
  name: string;
  python: string;
  command: string[];
  env: Record<string, string>;
  /** Removed when the command has ended, however it ended. Holds the log. */
  folder: string;
}

/** A stop takes milliseconds; after 10 s something is wrong and the tether is killed too. */
const STOP_LIMIT_MS = 10_000;

export async function startTethered(options: TetherOptions): Promise<TetheredProcess> {
  const logFile = join(options.folder, `${options.name}.log`);
  const log = openSync(logFile, 'a');
  const tether = spawn(
    options.python,
    ['-I', '-S', join(import.meta.dirname, 'tether.py'), options.folder, ...options.command],
    // A session of its own: Ctrl-C in a terminal reaches only us, and the closing pipe does the rest.
    { env: options.env, stdio: ['pipe', log, log], detached: true },
  );
  closeSync(log);
  await once(tether, 'spawn');
  const exited = once(tether, 'exit');
  // The pipe must not keep us alive: whoever waits for us to end would wait for ever.
  tether.unref();
  unrefPipe(tether);

  const hasEnded = () => tether.exitCode !== null || tether.signalCode !== null;
  return {
    name: options.name,
    logFile,
    pid: tether.pid ?? 0,
    hasEnded,
    lastLines: () => readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n'),
    async stop() {
      if (hasEnded()) return;
      tether.ref();
      tether.stdin?.destroy();
      const timer = setTimeout(() => tether.kill('SIGKILL'), STOP_LIMIT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function unrefPipe(child: ChildProcess): void {
  const pipe = child.stdin;
  pipe?.on('error', () => {}); // The command ended first: hasEnded() tells.
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
}

/** Tries until `ready` returns true, at most `seconds`. @throws Error with the end of the log. */
export async function waitUntilReady(
  process: TetheredProcess,
  ready: () => Promise<boolean>,
  seconds: number,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!process.hasEnded() && Date.now() < deadline) {
    if (await ready().catch(() => false)) return;
    await sleep(25);
  }
  const what = process.hasEnded() ? 'ended while it started' : `was not ready after ${seconds} s`;
  throw new Error(`${process.name} ${what}. The end of its log:\n${process.lastLines()}`);
}

/** Ports below the range that outgoing connections use (32768 and up on Linux), so that none of those takes one before it is used. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
/** Each worker of the tests has a part of its own: two that look at the same moment could find the same port free. */
const PARTS = 12;

/** Returns a TCP port that no process listens on at this moment. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const count = PORTS / PARTS;
  const first = FIRST_PORT + count * (Number(process.env.VITEST_POOL_ID ?? 0) % PARTS);
  for (let tries = 0; tries < 100; tries += 1) {
    const port = first + Math.floor(Math.random() * count);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`No free port on ${host}: a hundred between ${first} and ${first + count} are taken`);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Runs a command to its end; it ends with this process. @throws Error with what it printed. */
export async function run(
  file: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  // 64 MiB: an installer or the CDK may print much, and the default of 1 MiB would end it.
  const running = promisify(execFile)(file, args, { ...options, maxBuffer: 64 * 1024 * 1024 });
  const end = () => running.child.kill();
  process.once('exit', end);
  try {
    return (await running).stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const printed = `${stdout}${stderr}`.trim().split('\n').slice(-30).join('\n');
    throw new Error(printed ? `${file} ${args.join(' ')} failed:\n${printed}` : message);
  } finally {
    process.off('exit', end);
  }
}
