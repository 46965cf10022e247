import { type LocalEnvironment, startLocalEnvironment } from '../../local/environment.ts';

let started: Promise<LocalEnvironment> | undefined;

/** Returns the environment of this worker's test files that need no special one. It ends with the worker. */
export function sharedEnvironment(): Promise<LocalEnvironment> {
  started ??= startLocalEnvironment();
  return started;
}
