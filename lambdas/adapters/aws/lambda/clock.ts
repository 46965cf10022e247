import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../domain/ports/runtime.ts';

/** The system clock and random numbers. */
export const clock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds) => sleep(milliseconds),
  random: () => Math.random(),
};
