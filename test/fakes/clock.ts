import type { FleetMetricValues } from '../../lambdas/domain/contract/metrics.ts';
import type { Clock, FleetMetrics, StepLog } from '../../lambdas/domain/ports/runtime.ts';

/** A clock that only `set`, `advance` and `sleep` move. `sleep` returns at once. */
export class FakeClock implements Clock {
  #now: Date;
  /** Duration of each sleep in milliseconds. */
  readonly slept: number[] = [];
  randomness = 0.5;

  constructor(now: string) {
    this.#now = new Date(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  set(now: string): void {
    this.#now = new Date(now);
  }

  advance(milliseconds: number): void {
    this.#now = new Date(this.#now.getTime() + milliseconds);
  }

  sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
    this.advance(milliseconds);
    return Promise.resolve();
  }

  random(): number {
    return this.randomness;
  }
}

export class FakeLog implements StepLog {
  readonly lines: { readonly level: 'info' | 'warn' | 'error'; readonly message: string; readonly details: unknown }[] =
    [];

  info(message: string, details: unknown = {}): void {
    this.lines.push({ level: 'info', message, details });
  }

  warn(message: string, details: unknown = {}): void {
    this.lines.push({ level: 'warn', message, details });
  }

  error(message: string, details: unknown = {}): void {
    this.lines.push({ level: 'error', message, details });
  }

  messages(level: 'info' | 'warn' | 'error'): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

export class FakeFleetMetrics implements FleetMetrics {
  readonly published: FleetMetricValues[] = [];

  publish(values: FleetMetricValues): void {
    this.published.push(values);
  }
}
