import { lookup } from 'node:dns/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createAddressBook, writtenAddress } from '../../../../lambdas/adapters/dns/addresses.ts';
import { freePort } from '../../../../local/processes.ts';
import { inVirtualTime, stopTime } from '../virtual-time.ts';
import { hosts, type Script, serve, systemResolverAt } from './scripted-server.ts';

stopTime();

const servers: { close(): unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** An address book whose system resolver answers as the script says. */
async function system(script: Script) {
  const server = await serve(script);
  servers.push(server);
  const createResolver = systemResolverAt(server.address);
  return {
    asked: server.asked,
    internet: createAddressBook('internet', createResolver),
    laboratory: createAddressBook('laboratory', createResolver),
  };
}

describe('the addresses of a host that DNS names', () => {
  test('are its IPv4 addresses, looked up once', async () => {
    const { internet, asked } = await system(hosts({ 'ns.test': ['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888'] }));
    const found = ['8.8.8.8', '8.8.4.4'].map((host) => ({ host, family: 4, port: 53 }));
    expect(await Promise.all([internet('ns.test'), internet('ns.test')])).toEqual([found, found]);
    expect(asked.map(({ type }) => type)).toEqual(['A']);
  });

  test('are its IPv6 addresses where it has no others', async () => {
    const { internet } = await system(hosts({ 'ns.test': ['10.0.0.1', '2001:4860:4860::8888'] }));
    expect(await internet('ns.test')).toEqual([{ host: '2001:4860:4860::8888', family: 6, port: 53 }]);
  });

  test('are empty for an unknown host', async () => {
    const { internet } = await system(hosts({}));
    expect(await internet('ns.test')).toEqual([]);
  });

  test.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '100.127.255.255',
      '127.0.0.1',
      '169.254.169.254',
      '169.254.100.5',
      '172.16.0.1',
    ],
    ...['172.31.255.255', '192.0.0.8', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.1'],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...[
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::a00:1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'ff02::1',
    ],
    ...['2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', '4000::1'],
  ])('are none that lead into our own network, or nowhere: %s', async (address) => {
    const { internet, laboratory } = await system(hosts({ 'ns.test': [address] }));
    expect(await internet('ns.test')).toEqual([]);
    expect(await laboratory('ns.test')).toHaveLength(1);
  });

  test.each([
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.32.0.0',
    '223.255.255.255',
    '2600:9000::1',
  ])('may be public ones: %s', async (address) => {
    const { internet } = await system(hosts({ 'ns.test': [address] }));
    expect(await internet('ns.test')).toMatchObject([{ host: address, port: 53 }]);
  });

  test.each(['8.8.8.8', '8.8.8.8:80', '[2001:4860:4860::8888]:53', 'ns.test:80', 'ns.test:53', '8.8.8.8.'])(
    'are not in the name itself, and no port: %s',
    async (server) => {
      const { internet, asked } = await system(() => ({ code: 2 }));
      expect(await internet(server)).toEqual([]);
      expect(asked).toEqual([]);
    },
  );

  test('may be part of the name, with a port, with the reach laboratory', async () => {
    const { laboratory } = await system(hosts({ 'ns.test': ['127.0.0.1'] }));
    expect(await laboratory('127.0.0.1:5301')).toEqual([{ host: '127.0.0.1', family: 4, port: 5301 }]);
    expect(await laboratory('ns.test:5301')).toEqual([{ host: '127.0.0.1', family: 4, port: 5301 }]);
    expect(await laboratory('ns.test:70000')).toEqual([]);
  });
});

describe('a failed lookup of addresses', () => {
  test("has the error code of the system's resolver", async () => {
    const { internet } = await system(() => ({ code: 2 }));
    await expect(internet('ns.test')).rejects.toThrow('the address of ns.test cannot be looked up (ESERVFAIL)');
  });

  test("is the result when the system's resolver is down", async () => {
    const book = createAddressBook('internet', systemResolverAt(`127.0.0.1:${await freePort()}`));
    await expect(book('ns.test')).rejects.toThrow(
      /the address of ns.test cannot be looked up \(E(CONNREFUSED|TIMEOUT)\)/,
    );
  });

  test('ends after three seconds, a hundred at the same time', async () => {
    const { internet } = await system(() => null);
    const hosts = Array.from({ length: 100 }, (_, index) => `ns${index}.test`);
    const lookUp = () => Promise.allSettled(hosts.map((host) => internet(host)));
    const { result, milliseconds } = await inVirtualTime(lookUp);
    expect(milliseconds).toBe(3_000);
    const reasons = result.map((each) => each.status === 'rejected' && String(each.reason));
    expect(reasons[99]).toContain('the address of ns99.test was not found within 3 s');
  });

  test('does not delay lookups by other code', async () => {
    const { internet } = await system(() => null);
    const end = new AbortController();
    let failed = 0;
    const waiting = Array.from({ length: 100 }, (_, index) =>
      internet(`ns${index}.test`, end.signal).catch(() => {
        failed += 1;
      }),
    );
    await lookup('localhost');
    expect(failed).toBe(0);
    end.abort();
    await Promise.all(waiting);
  });

  test('ends when the time for the whole lookup is over', async () => {
    const { internet } = await system(() => null);
    const lookUp = () => internet('ns.test', AbortSignal.timeout(50));
    await expect(inVirtualTime(lookUp)).rejects.toThrow('the time for the whole lookup is over');
  });
});

test.each([
  ['192.0.2.1', { host: '192.0.2.1', family: 4, port: 53 }],
  ['127.0.0.1:5301', { host: '127.0.0.1', family: 4, port: 5301 }],
  ['[::1]:5301', { host: '::1', family: 6, port: 5301 }],
  ['127.0.0.1:70000', null],
  ['ns.test', null],
])('what is written as an address is taken as it is: %s', (written, address) => {
  expect(writtenAddress(written)).toEqual(address);
});
