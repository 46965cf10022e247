import type { Clock } from '../../lambdas/domain/ports/runtime.ts';

/** A process that sleeps. */
interface Sleeper {
  readonly at: number;
  /** Position in the order of the calls, so that equal times wake up in that order. */
  readonly position: number;
  readonly wake: () => void;
}

/** Returns a source of random numbers from 0 to below 1. The same seed gives the same numbers (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The time of a simulation of discrete events. Processes are asynchronous functions that only `sleep` delays. When all of them sleep, the time jumps to
 * the next wake-up.
 */
export class VirtualTime implements Clock {
  readonly random: () => number;
  #now: number;
  #calls = 0;
  /** A binary heap, the earliest sleeper first. */
  readonly #sleepers: Sleeper[] = [];

  constructor(start: string, seed = 1) {
    this.#now = Date.parse(start);
    this.random = seeded(seed);
  }

  now(): Date {
    return new Date(this.#now);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => this.#add({ at: this.#now + milliseconds, position: this.#calls++, wake }));
  }

  /** Runs the process to its end, and with it all processes that it starts. */
  async run<Result>(process: () => Promise<Result>): Promise<Result> {
    let ended = false;
    const running = process().finally(() => {
      ended = true;
    });
    running.catch(() => undefined); // awaited below
    for (;;) {
      // All microtasks run before the next turn of the event loop, so every process has reached its next sleep.
      await new Promise(setImmediate);
      const next = ended ? undefined : this.#take();
      if (!next) break;
      this.#now = next.at;
      next.wake();
      while (this.#sleepers[0]?.at === this.#now) this.#take()?.wake();
    }
    if (!ended) throw new Error('A process of the simulation waits for something other than the virtual time.');
    return running;
  }

  #add(sleeper: Sleeper): void {
    const heap = this.#sleepers;
    let child = heap.push(sleeper) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child], heap[parent])) return;
      swap(heap, child, parent);
      child = parent;
    }
  }

  #take(): Sleeper | undefined {
    const heap = this.#sleepers;
    const last = heap.length - 1;
    if (last > 0) swap(heap, 0, last);
    const first = heap.pop();
    for (let parent = 0; ; ) {
      const children = [2 * parent + 1, 2 * parent + 2].filter((child) => child < heap.length);
      const child =
        children.length === 2 && isBefore(heap[2 * parent + 2], heap[2 * parent + 1]) ? children[1] : children[0];
      if (child === undefined || !isBefore(heap[child], heap[parent])) return first;
      swap(heap, child, parent);
      parent = child;
    }
  }
}

const isBefore = (a: Sleeper | undefined, b: Sleeper | undefined): boolean =>
  a !== undefined && b !== undefined && (a.at - b.at || a.position - b.position) < 0;

function swap(heap: Sleeper[], a: number, b: number): void {
  [heap[a], heap[b]] = [heap[b] as Sleeper, heap[a] as Sleeper];
}
