import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process that ends when this process ends (see tether.py). */
export interface TetheredProcess {
  name: string;
  /** File with standard output and standard error of the command. */
  logFile: string;
  /** Process id of the tether. The command is its child. */
  pid: number;
  /** Ends the command and every process that it started, and waits until they have ended. */
  stop(): Promise<void>;
  /** Returns the last 20 lines of the log, for an error message. */
  lastLines(): string;
  hasEnded(): boolean;
}

interface TetherOptions {
  name: string;
  python: string;
  command: string[];
  env: Record<string, string>;
  /** Folder for the log. The tether removes it when this process has ended. */
  folder: string;
}

/** Time after which a stop kills the tether itself. A stop usually takes milliseconds. */
const STOP_LIMIT_MS = 10_000;

export async function startTethered(options: TetherOptions): Promise<TetheredProcess> {
  const logFile = join(options.folder, `${options.name}.log`);
  const log = openSync(logFile, 'a');
  const tether = spawn(
    options.python,
    ['-I', '-S', join(import.meta.dirname, 'tether.py'), options.folder, ...options.command],
    // The tether has its own session, so Ctrl-C in a terminal reaches only this process. The tether ends when the pipe closes.
    { env: options.env, stdio: ['pipe', log, log], detached: true },
  );
  closeSync(log);
  await once(tether, 'spawn');
  const exited = once(tether, 'exit');
  // The tether and its pipe must not keep this process running.
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
  pipe?.on('error', () => {}); // The command has ended already. `hasEnded` reports it.
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
}

/** Calls `ready` until it returns true, for at most `seconds`. @throws Error with the end of the log */
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
  const reason = process.hasEnded() ? 'It ended while it started' : `It was not ready after ${seconds} s`;
  throw new Error(`Could not start ${process.name}. ${reason}. The end of its log:\n${process.lastLines()}`);
}

/** The first port to use. All ports are below the range of outgoing connections (32768 and up on Linux), which could take a chosen port. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
/** Number of parts of the range. Each test worker chooses from its own part, so that two workers never choose the same port. */
const PARTS = 12;

/** The latest ports that were chosen. A server may not listen on its port yet when the next port is chosen. */
const chosen: number[] = [];
const REMEMBERED = 100;

/** Returns a TCP port on which no process listens. The next hundred calls return other ports. @throws Error if a hundred ports are in use */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const count = PORTS / PARTS;
  const first = FIRST_PORT + count * (Number(process.env.VITEST_POOL_ID ?? 0) % PARTS);
  for (let tries = 0; tries < 100; tries += 1) {
    const port = first + Math.floor(Math.random() * count);
    if (chosen.includes(port)) continue;
    chosen.splice(0, chosen.length - REMEMBERED + 1);
    chosen.push(port);
    if (await isFree(port, host)) return port;
  }
  throw new Error(
    `No free port was found on ${host}. A hundred ports between ${first} and ${first + count} are in use.`,
  );
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

/** Runs a command and waits for its end. The command is killed when this process ends. @throws Error with the last 30 lines of its output */
export async function run(
  file: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  // Installers and the CDK may print more than the default of 1 MiB, which would end the command.
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
