import { createServer } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { freePort } from '../../local/processes.ts';

afterEach(() => vi.restoreAllMocks());

test('freePort returns a port only once, although no process listens on it yet', async () => {
  vi.spyOn(Math, 'random').mockReturnValueOnce(0.25).mockReturnValueOnce(0.25);
  const ports = [await freePort(), await freePort()];
  expect(new Set(ports).size).toBe(2);
});

test('freePort does not return a port on which a process listens', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    // After a hundred other ports, only the server keeps this port from being returned.
    for (let call = 0; call < 100; call += 1) await freePort();
    vi.spyOn(Math, 'random').mockReturnValueOnce(((port % 1000) + 0.5) / 1000);
    expect(await freePort()).not.toBe(port);
  } finally {
    server.close();
  }
});
