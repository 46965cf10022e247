import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startTethered, waitUntilReady } from './processes.ts';

export interface MiniStackOptions {
  /**
   * Maximum number of concurrent function calls before Lambda throttles. The default quota of AWS is 1,000, and 10 in a new account. Here
   * each call is a Node.js process that takes 60 MB and starts in a third of a second, so a higher number does not make a run faster.
   *
   * @default 32
   */
  lambdaConcurrency?: number;
  /** Factor for the duration of Wait states. Report only times that were measured with 1. @default 1 */
  waitScale?: number;
}

/** One call to the API of the local AWS, with the facts that CloudTrail records. */
export interface ApiCall {
  /** Service prefix in IAM actions, for example `route53` or `secretsmanager`. */
  service: string;
  operation: string;
  /** ARN of the principal. */
  caller: string;
  /** HTTP status of the answer. Failed calls have 400 and above. */
  status: number;
  /** Time of the answer in ISO 8601. */
  at: string;
}

export interface LogEvent {
  logGroup: string;
  logStream: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  message: string;
}

/** An event that was published to an EventBridge bus, by this project or by an AWS service. */
export interface BusEvent {
  bus: string;
  source: string;
  detailType: string;
  detail: unknown;
}

/** A hosted zone in Route 53. Names are absolute, with a trailing dot. */
export interface StoredZone {
  id: string;
  name: string;
  records: { name: string; type: string; ttl: number; values: string[] }[];
}

export interface MiniStack {
  endpoint: string;
  region: string;
  accountId: string;
  /** Returns all API calls, or those after the first `since`. Reading the list is not an API call itself. */
  apiCalls(since?: number): Promise<ApiCall[]>;
  logEvents(): Promise<LogEvent[]>;
  busEvents(): Promise<BusEvent[]>;
  hostedZones(): Promise<StoredZone[]>;
  /** Holds executions that enter a state with this name. @returns a function that releases them, and those that enter it later */
  holdState(name: string): Promise<() => Promise<void>>;
  logFile: string;
  pids: number[];
  stop(): Promise<void>;
}

export const REGION = 'us-east-1';
const ACCOUNT_ID = '000000000000';
const ROOT = join(import.meta.dirname, '..');

/** Starts MiniStack with the Python package ministack_strict, which makes it as strict as AWS. */
export async function startMiniStack(
  python: string,
  folder: string,
  nameServer: string,
  options: MiniStackOptions = {},
): Promise<MiniStack> {
  const port = await freePort();
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const process = await startTethered({
    name: 'ministack',
    python,
    command: [python, '-m', 'ministack_strict'],
    env: environment(port, folder, temporary, nameServer, options),
    folder,
  });
  const endpoint = `http://localhost:${port}`;
  const readPage = async <T>(page: string): Promise<T> => {
    const response = await fetch(`${endpoint}/_local/${page}`);
    if (!response.ok) throw new Error(`MiniStack answered ${response.status} for /_local/${page}.`);
    return (await response.json()) as T;
  };
  await waitUntilReady(process, async () => (await fetch(`${endpoint}/_ministack/health`)).ok, 90);

  return {
    endpoint,
    region: REGION,
    accountId: ACCOUNT_ID,
    apiCalls: async (since = 0) => (await readPage<ApiCall[]>('api-calls')).slice(since),
    logEvents: () => readPage('log-events'),
    busEvents: () => readPage('bus-events'),
    hostedZones: () => readPage('hosted-zones'),
    holdState: async (name) => {
      await readPage(`hold-state?${encodeURIComponent(name)}`);
      return () => readPage(`release-state?${encodeURIComponent(name)}`);
    },
    logFile: process.logFile,
    pids: [process.pid],
    stop: process.stop,
  };
}

/** Returns the environment variables of MiniStack. Functions inherit them, so they contain none of the user's variables except PATH. */
function environment(
  port: number,
  home: string,
  temporary: string,
  nameServer: string,
  options: MiniStackOptions,
): Record<string, string> {
  return {
    // The Node.js in node_modules is first, because MiniStack starts functions with the `node` on its PATH.
    PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH ?? '/usr/bin:/bin'}`,
    HOME: home,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    // The folder that contains the package ministack_strict.
    PYTHONPATH: import.meta.dirname,
    // MiniStack's worker script calls url.parse. Without this option Node.js writes a warning into every function's log.
    NODE_OPTIONS: '--disable-warning=DEP0169',
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    AUTH: 'true',
    MINISTACK_REGION: REGION,
    MINISTACK_ACCOUNT_ID: ACCOUNT_ID,
    LOG_LEVEL: 'WARNING',
    LAMBDA_ACCOUNT_CONCURRENCY: String(options.lambdaConcurrency ?? 32),
    SFN_WAIT_SCALE: String(options.waitScale ?? 1),
    S3_DATA_DIR: join(temporary, 's3'),
    // Turns off unused services that would open ports, or remove containers of other programs.
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    DOCKER_HOST: `unix://${join(temporary, 'no-docker.sock')}`,
    PERENNIAL_NAME_SERVER: nameServer,
  };
}
