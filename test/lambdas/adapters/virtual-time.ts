import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, vi } from 'vitest';

/** Turns of the event loop in which a datagram on loopback arrives, is answered, and the reply arrives. Six suffice. */
const turnsOfAReply = 50;

/** Keeps timeouts from firing in the tests of a file, except `inVirtualTime`. A busy machine then causes none. */
export function stopTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((delay) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException('The operation timed out', 'TimeoutError')), delay);
      return controller.signal;
    });
  });
  afterEach(() => {
    vi.mocked(AbortSignal.timeout).mockRestore();
    vi.useRealTimers();
  });
}

/**
 * Runs work whose timeouts take no time: when the sockets of this process are quiet, the clock jumps to the next timeout. Returns what
 * the work resolves to, and the milliseconds it would have taken. Servers must run in this process and reply at once or never.
 */
export async function inVirtualTime<T>(work: () => Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const started = Date.now();
  let settled = false;
  const working = work().finally(() => {
    settled = true;
  });
  working.catch(() => {}); // awaited below
  while (!settled) {
    for (let turns = 0; turns < turnsOfAReply && !settled; turns++) await turn();
    if (!settled) vi.advanceTimersToNextTimer();
  }
  return { result: await working, milliseconds: Date.now() - started };
}
