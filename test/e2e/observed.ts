import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHistory } from '../../local/executions.ts';
import type { Deployed } from './deployed.ts';

/** Returns the states that an execution has entered, in order. */
export const statesOf = async (d: Pick<Deployed, 'local'>, arn: string): Promise<string[]> =>
  (await readHistory(d.local, arn)).flatMap(({ stateEnteredEventDetails: state }) => state?.name ?? []);

/** Time limit for conditions that take seconds on an idle machine. It is less than the time limit of a test. */
const LIMIT_S = 240;

/** Calls `check` until it returns a value, and returns that value. @throws Error after the time limit */
export async function eventually<T>(what: string, check: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + LIMIT_S * 1000; Date.now() < deadline; await sleep(50)) {
    const found = await check();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not happen in ${LIMIT_S} s.`);
}

/** Waits until an execution has entered a state this number of times. */
export async function reaches(d: Pick<Deployed, 'local'>, arn: string, state: string, times = 1): Promise<void> {
  await eventually(`State ${state} of ${arn}`, async () =>
    (await statesOf(d, arn)).filter((each) => each === state).length >= times ? true : undefined,
  );
}

/** Returns the number of newOrder requests to Pebble after the first `mark` requests. */
export const requestsOfOrders = (d: Deployed, mark: number): number => requestsTo(d, '/order-plz', mark);

export const requestsTo = (d: Deployed, path: string, mark: number): number =>
  d.local.pebble.requests(mark).filter((request) => request.path.startsWith(path)).length;

/** Sets the factor for the duration of all Wait states. 1 is the deployed duration. */
export async function scaleWaits(d: Pick<Deployed, 'local'>, factor: number): Promise<void> {
  await fetch(`${d.local.aws.endpoint}/_ministack/config`, {
    method: 'POST',
    body: JSON.stringify({ 'stepfunctions._SFN_WAIT_SCALE': factor }),
  });
}

/** Returns the process ids of the warm workers of a function. */
export function workersOf({ local }: Deployed, name: string): number[] {
  const prefix = `AWS_LAMBDA_FUNCTION_NAME=Perennial-Certificates${name}Function`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return variables.some((each) => each.startsWith(prefix)) && descendsFrom(local.pids, pid);
      } catch {
        return false; // The process has ended, or belongs to another user.
      }
    });
}

/** Returns whether one of these processes started a process, directly or through others. */
function descendsFrom(pids: readonly number[], pid: number): boolean {
  for (let ancestor = pid; ancestor > 1; ) {
    if (pids.includes(ancestor)) return true;
    const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${ancestor}/status`, 'utf8')) ?? [];
    ancestor = Number(parent);
  }
  return false;
}
