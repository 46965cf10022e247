import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startTethered, waitUntilReady } from './processes.ts';

export interface MiniStackOptions {
  /**
   * Function calls at once before Lambda throttles; 32 unless given. AWS's default quota is 1,000, and 10 in a new account.
   * Each is a Node process here, of 60 MB and a third of a second to start: more of them at once only wait for each other.
   */
  lambdaConcurrency?: number;
  /** Factor on the Wait states of workflows. Never report a time measured with anything but 1. */
  waitScale?: number;
}

/** One call to the API of the local AWS, as CloudTrail saw it. */
export interface ApiCall {
  /** `route53`, `secretsmanager`, … */
  service: string;
  operation: string;
  /** ARN of the principal. */
  caller: string;
  /** HTTP status of the answer: 400 and above are refusals. */
  status: number;
  /** ISO 8601, when it was answered. */
  at: string;
}

export interface LogEvent {
  logGroup: string;
  logStream: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  message: string;
}

/** An event that reached an EventBridge bus, AWS's own among them. */
export interface BusEvent {
  bus: string;
  source: string;
  detailType: string;
  detail: unknown;
}

/** A hosted zone as Route 53 holds it; names are absolute, with a trailing dot. */
export interface StoredZone {
  id: string;
  name: string;
  records: { name: string; type: string; ttl: number; values: string[] }[];
}

export interface MiniStack {
  endpoint: string;
  region: string;
  accountId: string;
  /** All API calls since the start, or since a mark: an earlier list's length. Reading it is no API call itself. */
  apiCalls(since?: number): Promise<ApiCall[]>;
  logEvents(): Promise<LogEvent[]>;
  busEvents(): Promise<BusEvent[]>;
  hostedZones(): Promise<StoredZone[]>;
  logFile: string;
  pids: number[];
  stop(): Promise<void>;
}

export const REGION = 'us-east-1';
export const ACCOUNT_ID = '000000000000';
const ROOT = join(import.meta.dirname, '..');

/** Starts MiniStack through the package ministack_strict, which makes it as strict as AWS. */
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
  const look = async <T>(what: string): Promise<T> => {
    const response = await fetch(`${endpoint}/_local/${what}`);
    if (!response.ok) throw new Error(`MiniStack answered ${response.status} for /_local/${what}`);
    return (await response.json()) as T;
  };
  await waitUntilReady(process, async () => (await fetch(`${endpoint}/_ministack/health`)).ok, 30);

  return {
    endpoint,
    region: REGION,
    accountId: ACCOUNT_ID,
    apiCalls: async (since = 0) => (await look<ApiCall[]>('api-calls')).slice(since),
    logEvents: () => look('log-events'),
    busEvents: () => look('bus-events'),
    hostedZones: () => look('hosted-zones'),
    logFile: process.logFile,
    pids: [process.pid],
    stop: process.stop,
  };
}

/** Functions inherit it, so it holds nothing of the user's own environment. */
function environment(
  port: number,
  home: string,
  temporary: string,
  nameServer: string,
  options: MiniStackOptions,
): Record<string, string> {
  return {
    // The Node that npm installed comes first: MiniStack starts functions with the `node` on its path.
    PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH ?? '/usr/bin:/bin'}`,
    HOME: home,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    // The folder of the package ministack_strict.
    PYTHONPATH: import.meta.dirname,
    // MiniStack's worker script calls url.parse, which Node would say in every function's log.
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
    // Services that we do not use and that would open ports, or clean up containers that are not ours.
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    DOCKER_HOST: `unix://${join(temporary, 'no-docker.sock')}`,
    PERENNIAL_NAME_SERVER: nameServer,
  };
}
