import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { afterEach, describe, expect, test } from 'vitest';
import { createHostLookup } from '../../../../lambdas/adapters/dns/host-lookup.ts';
import { freePort } from '../../../../local/processes.ts';
import { inVirtualTime, stopTime } from '../virtual-time.ts';
import { hosts, type Script, type ScriptedServer, serve, systemResolverAt } from './scripted-server.ts';

stopTime();

const servers: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Looks up a host as a connection does, with a DNS server that answers as the script says. */
async function lookedUpBy(script: Script) {
  const server = await serve(script);
  servers.push(server);
  return promised(createHostLookup(systemResolverAt(server.address)));
}

const promised =
  (lookup: ReturnType<typeof createHostLookup>) =>
  (host: string, options: LookupOptions = { all: true }) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      lookup(host, options, (error, found) => (error ? reject(error) : resolve(found)));
    });

const both = hosts({ 'ca.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1'], 'four.test': ['192.0.2.3'] });

describe('the addresses of a host', () => {
  test('are those of both families, with IPv4 first', async () => {
    const lookUp = await lookedUpBy(both);
    expect(await lookUp('ca.test')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
      { address: '2001:db8::1', family: 6 },
    ]);
    expect(await lookUp('four.test')).toEqual([{ address: '192.0.2.3', family: 4 }]);
  });

  test.each([
    [4, '192.0.2.1'],
    ['IPv4', '192.0.2.1'],
    [6, '2001:db8::1'],
    ['IPv6', '2001:db8::1'],
    [0, '192.0.2.1'],
  ] as const)('is the first one of the family %s for a connection that asks for one', async (family, address) => {
    const lookUp = await lookedUpBy(both);
    expect(await lookUp('ca.test', { family })).toBe(address);
  });

  test('of localhost are those of this machine, without a query', async () => {
    const lookUp = promised(createHostLookup(systemResolverAt(`127.0.0.1:${await freePort()}`)));
    expect(await lookUp('localhost')).toContainEqual(
      expect.objectContaining({ address: expect.stringMatching(/^127\.|^::1$/) }),
    );
  });

  test('are those of one family if the server does not answer for the other', async () => {
    const lookUp = await lookedUpBy((asked) => (asked.type === 'AAAA' ? null : both(asked)));
    const { result, milliseconds } = await inVirtualTime(() => lookUp('ca.test'));
    expect(result).toHaveLength(2);
    expect(milliseconds).toBe(3_000);
    const failing = await lookedUpBy((asked) => (asked.type === 'A' ? { code: 2 } : both(asked)));
    expect(await failing('ca.test')).toEqual([{ address: '2001:db8::1', family: 6 }]);
  });
});

describe('a failed lookup of a host', () => {
  test('ends after three seconds if DNS does not answer, a hundred at the same time', async () => {
    const lookUp = await lookedUpBy(() => null);
    const names = Array.from({ length: 100 }, (_, index) => `ca${index}.test`);
    const { result, milliseconds } = await inVirtualTime(() => Promise.allSettled(names.map((name) => lookUp(name))));
    expect(milliseconds).toBe(3_000);
    const reasons = result.map((each) => (each.status === 'rejected' ? each.reason : null));
    expect(reasons[99]).toMatchObject({ code: 'EAI_AGAIN', message: 'DNS gave no address of ca99.test within 3 s' });
  });

  test('does not delay lookups of other code, such as those of the SDK of AWS', async () => {
    const lookUp = await lookedUpBy(() => null);
    let failed = 0;
    const waiting = Array.from({ length: 100 }, (_, index) => lookUp(`ca${index}.test`).catch(() => failed++));
    await new Promise((resolve) => systemLookup('localhost', resolve));
    expect(failed).toBe(0);
    await inVirtualTime(() => Promise.all(waiting));
    expect(failed).toBe(100);
  });

  test.each([
    ['does not exist', hosts({})],
    ['has no address', () => ({ answers: [] })],
  ] satisfies [string, Script][])('says that a host that %s has none', async (_, script) => {
    const lookUp = await lookedUpBy(script);
    await expect(lookUp('ca.test')).rejects.toMatchObject({
      code: 'ENOTFOUND',
      message: 'ca.test has no address in DNS',
    });
  });

  test('names the code of a DNS server that fails', async () => {
    const lookUp = await lookedUpBy(() => ({ code: 2 }));
    const message = 'the address of ca.test cannot be looked up (ESERVFAIL)';
    await expect(lookUp('ca.test')).rejects.toMatchObject({ code: 'EAI_AGAIN', message });
  });
});
