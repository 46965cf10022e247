import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHistory } from '../../local/executions.ts';
import type { Deployed } from './deployed.ts';

/** States that the execution has entered so far, in order. */
export const statesOf = async (d: Pick<Deployed, 'local'>, arn: string): Promise<string[]> =>
  (await readHistory(d.local, arn)).flatMap(({ stateEnteredEventDetails: state }) => state?.name ?? []);

/** How long a test waits for something that takes seconds on an idle machine. Less than the time limit of a test. */
const LIMIT_S = 120;

/** Looks until there is something, and returns it. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + LIMIT_S * 1000; Date.now() < deadline; await sleep(50)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not happen in ${LIMIT_S} s`);
}

/** Waits until the execution has entered this state, for the nth time. */
export async function reaches(d: Pick<Deployed, 'local'>, arn: string, state: string, times = 1): Promise<void> {
  await eventually(`State ${state} of ${arn}`, async () =>
    (await statesOf(d, arn)).filter((each) => each === state).length >= times ? true : undefined,
  );
}

/** New orders that Pebble was asked for since the mark. */
export const requestsOfOrders = (d: Deployed, mark: number): number => requestsTo(d, '/order-plz', mark);

export const requestsTo = (d: Deployed, path: string, mark: number): number =>
  d.local.pebble.requests(mark).filter((request) => request.path.startsWith(path)).length;

/** Shortens every Wait to this part of its time; 1 is as deployed. */
export async function scaleWaits(d: Pick<Deployed, 'local'>, factor: number): Promise<void> {
  await fetch(`${d.local.aws.endpoint}/_ministack/config`, {
    method: 'POST',
    body: JSON.stringify({ 'stepfunctions._SFN_WAIT_SCALE': factor }),
  });
}

/** Process ids of the warm workers of the function of this name. */
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
        return false; // ended meanwhile, or another user's
      }
    });
}

/** Whether one of these processes started it, however many processes lie between. */
function descendsFrom(pids: readonly number[], pid: number): boolean {
  for (let ancestor = pid; ancestor > 1; ) {
    if (pids.includes(ancestor)) return true;
    const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${ancestor}/status`, 'utf8')) ?? [];
    ancestor = Number(parent);
  }
  return false;
}
