import type { FleetMetricValues } from '../contract/metrics.ts';

/** Time and randomness. They are a port, so that tests can control them. */
export interface Clock {
  now(): Date;
  /** Waits for some milliseconds. Used only after a lost compare-and-swap, and for at most 5 s in a step. */
  sleep(milliseconds: number): Promise<void>;
  /** Returns a random number from 0 to below 1. */
  random(): number;
}

/** Log lines of a step, in addition to the one line that every step writes. */
export interface StepLog {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** CloudWatch metrics of the fleet in embedded metric format. */
export interface FleetMetrics {
  publish(values: FleetMetricValues): void;
}
