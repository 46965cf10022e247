import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../domain/ports/runtime.ts';

/** The real clock, and the real dice. */
export const clock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds) => sleep(milliseconds),
  random: () => Math.random(),
};
