import type { LocalEnvironment } from '../environment.ts';
import type { Failure } from './facts.ts';
import { type Renewal, RenewalFailedError, type VisitedState, watchRenewal } from './renewals.ts';
import type { Screen, Step, Work } from './screen.ts';

/** The renewal of a certificate while it is watched. It has a result or a failure at the end, or neither if the watch was aborted. */
export interface RenewalWatch {
  readonly name: string;
  readonly abort: AbortController;
  renewal?: Renewal;
  failure?: Failure;
}

/** Maximum number of certificates that have a line each. More certificates share one step, so that the screen has space for the result. */
const MAXIMUM_LINES = 5;
/** Maximum number of certificates that the shared step names while they are renewed. */
const MAXIMUM_NAMES = 12;

/** Returns the steps that watch the renewals. A step fails if its renewal fails, and the watch has the failure. */
export function renewalWorks(
  screen: Screen,
  local: LocalEnvironment,
  watches: readonly RenewalWatch[],
): readonly Work<void>[] {
  const padded = (name: string) => name.padEnd(Math.max(...watches.map((each) => each.name.length)));
  if (watches.length > MAXIMUM_LINES) return [sharedWork(local, watches, padded)];
  return watches.map((each) => ({
    title: `${padded(each.name)}  waits for the deployment`,
    timed: false,
    work: (step) =>
      watch(local, each, watches.length, (status, states, entered) => {
        step.title(`${padded(each.name)}  ${status}`);
        for (const { name, at } of entered)
          step.say(`${padded(each.name)}  ${at.toFixed(1).padStart(5)} s  ${name}`, trail(screen, states));
      }),
  }));
}

/** One step for all certificates. In a terminal, it shows the state of each until all have ended. */
function sharedWork(
  local: LocalEnvironment,
  watches: readonly RenewalWatch[],
  padded: (name: string) => string,
): Work<void> {
  const statuses = new Map(watches.map(({ name }) => [name, 'waits for the deployment']));
  const show = (step: Step) => {
    const running = watches.filter(({ renewal, failure }) => !renewal && !failure);
    const lines = running.slice(0, MAXIMUM_NAMES).map(({ name }) => `${padded(name)}  ${statuses.get(name)}`);
    const more = running.length - lines.length;
    step.title([summary(watches), ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
  };
  return {
    title: summary(watches),
    work: async (step) => {
      const ended = await Promise.allSettled(
        watches.map(async (each) => {
          const onStatus = (status: string) => {
            statuses.set(each.name, status);
            show(step);
          };
          await watch(local, each, watches.length, onStatus).finally(() =>
            step.say(`${padded(each.name)}  ${statuses.get(each.name)}`, ''),
          );
        }),
      );
      step.title(summary(watches));
      for (const each of ended) if (each.status === 'rejected') throw each.reason;
    },
  };
}

function summary(watches: readonly RenewalWatch[]): string {
  const issued = watches.filter(({ renewal }) => renewal).length;
  const failed = watches.filter(({ failure }) => failure).length;
  return `${watches.length} certificates: ${issued} issued${failed > 0 ? `, ${failed} failed` : ''}`;
}

type OnStatus = (status: string, states: readonly VisitedState[], entered: readonly VisitedState[]) => void;

/** Watches one of several renewals to its end, and keeps the result in the watch. @throws what the watch was aborted with, or why the renewal failed */
async function watch(local: LocalEnvironment, watched: RenewalWatch, among: number, onStatus: OnStatus): Promise<void> {
  const { name: certificate, abort } = watched;
  const onState = (states: readonly VisitedState[], entered: readonly VisitedState[]) =>
    onStatus(states.at(-1)?.name ?? '', states, entered);
  try {
    watched.renewal = await watchRenewal(local, { certificate, among, signal: abort.signal, onState });
    onStatus(`issued in ${watched.renewal.seconds.toFixed(1)} s`, [], []);
  } catch (error) {
    if (error instanceof RenewalFailedError) watched.failure = error.failure;
    onStatus(watched.failure ? `failed: ${watched.failure.error}` : 'not deployed', [], []);
    throw error;
  }
}

/** Returns each state once, in the order of the first visits, with the number of its visits. */
function trail(screen: Screen, states: readonly VisitedState[]): string {
  const times = new Map<string, number>();
  for (const { name } of states) times.set(name, (times.get(name) ?? 0) + 1);
  const words = [...times].map(([name, number]) => (number > 1 ? `${name} x${number}` : name));
  return screen.dim(words.join(' > '));
}
