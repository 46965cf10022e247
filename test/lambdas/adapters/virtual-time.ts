import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, vi } from 'vitest';

/** Turns of the event loop in which what has arrived on loopback is answered, and the reply arrives. Six suffice. */
const turnsOfAReply = 50;

/** Turns between two probes. */
const turnsOfAProbe = 10;

/** Sends a datagram to its own sender. When it arrives, what was sent on loopback before has arrived too, however busy the machine is. */
async function roundTrip(probe: Socket): Promise<void> {
  probe.send('probe', probe.address().port, '127.0.0.1');
  await once(probe, 'message');
}

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
  const probe = createSocket('udp4');
  await once(probe.bind(0, '127.0.0.1'), 'listening');
  while (!settled) {
    for (let turns = 0; turns < turnsOfAReply && !settled; turns++) {
      await turn();
      if (turns % turnsOfAProbe === 0) await roundTrip(probe);
    }
    if (!settled) vi.advanceTimersToNextTimer();
  }
  probe.close();
  return { result: await working, milliseconds: Date.now() - started };
}
