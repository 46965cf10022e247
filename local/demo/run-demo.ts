import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalEnvironment } from '../environment.ts';
import type { demonstrate } from './demonstrate.ts';
import type { Facts } from './facts.ts';
import { keptVariables, printFailures, printKept } from './report.ts';
import type { Screen } from './screen.ts';

export interface DemoOptions {
  readonly config: string;
  readonly keep: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly break?: 'dns';
}

export interface DemoPorts {
  readonly demonstrate: typeof demonstrate;
  readonly screen: Screen;
  /** Resolves at Ctrl-C. */
  readonly interruption: Promise<void>;
  /** Writes to standard output. */
  readonly write: (text: string) => void;
}

/** Time in which this process handles a signal that another process of the group has handled already. */
const SIGNAL_DELAY_MS = 500;

/** Exit code of a process that SIGINT has ended, as a shell gives it. */
export const INTERRUPTED = 130;

/**
 * Runs the demo until it has ended or is interrupted, and stops the local environment. After an interruption the exit code is always 130,
 * because errors while everything is being stopped are ignored.
 *
 * @returns the exit code
 */
export async function runDemo(options: DemoOptions, ports: DemoPorts): Promise<number> {
  const { screen, interruption, write } = ports;
  const start = Date.now();
  const facts: Facts = { config: resolve(options.config) };
  let local: LocalEnvironment | undefined;
  const shown = ports
    .demonstrate(screen, facts, {
      verbose: options.verbose,
      broken: options.break,
      started: (environment) => {
        local = environment;
      },
    })
    .then(
      () => ({ error: undefined }),
      (reason) => ({ error: reason instanceof Error ? reason.message : String(reason) }),
    );
  const first = await Promise.race([shown, interruption]);
  // Ctrl-C ends the local environment too, and its end may fail a step before this process handles the signal.
  const late =
    first?.error !== undefined && Promise.race([interruption.then(() => true), sleep(SIGNAL_DELAY_MS, false)]);
  const ended = (await late) ? undefined : first;
  if (!ended) {
    screen.release();
    await local?.stop().catch((error) => screen.print(String(error)));
    return INTERRUPTED;
  }

  const { error } = ended;
  const seconds = (Date.now() - start) / 1000;
  const { failures = [], certificates = [] } = facts;
  const variables = options.keep && !error && local ? keptVariables(local, facts) : undefined;
  if (options.json) write(`${JSON.stringify({ error, ...facts, seconds, variables }, null, 2)}\n`);
  const worked = error === undefined && failures.length === 0;
  printFailures(screen, failures);
  if (error) screen.print(`\nThe demo failed after ${seconds.toFixed(1)} s.\n\n${error}`);
  else if (worked) screen.print(`\nAll of it worked, in ${seconds.toFixed(1)} s.`);
  else screen.print(`\n${certificates.length} issued, ${failures.length} failed, in ${seconds.toFixed(1)} s.`);

  if (variables && local) {
    printKept(screen, local, facts);
    await interruption;
  }
  await local?.stop();
  return worked ? 0 : 1;
}
