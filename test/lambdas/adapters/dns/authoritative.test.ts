import { setTimeout } from 'node:timers/promises';
import type { Answer } from 'dns-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAuthoritativeDns } from '../../../../lambdas/adapters/dns/authoritative.ts';
import { freePort } from '../../../../local/processes.ts';
import {
  type Asked,
  a,
  aaaa,
  caa,
  cname,
  hosts,
  ns,
  referral,
  type Script,
  type Scripted,
  serve,
  soa,
  systemResolverAt,
} from './scripted-server.ts';

const servers: { close(): unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(script: Script) {
  const server = await serve(script);
  servers.push(server);
  return server;
}

const noSuchName: Scripted = { code: 3, authorities: [soa('example.test')] };
const noSuchType: Scripted = { authorities: [soa('example.test')] };
const question = ({ type, name }: Asked) => `${type} ${name}`;

/** Root, test. and example.test, one server each; the last one's script is given, by question. */
async function world(zone: Readonly<Record<string, Scripted>> | Script) {
  const example = await start(typeof zone === 'function' ? zone : (asked) => zone[question(asked)] ?? noSuchName);
  const tld = await start(({ name }) =>
    name.endsWith('example.test') ? referral('example.test', example.address) : noSuchType,
  );
  const root = await start(() => referral('test', tld.address));
  return { example, tld, root, dns: createAuthoritativeDns({ rootServers: [root.address] }) };
}

/** Every name is referred to these servers of example.test. */
async function servedBy(...addresses: readonly string[]) {
  const root = await start(() => referral('example.test', ...addresses));
  const system = await start(hosts({ 'ns.example.org': ['127.0.0.1'] }));
  const createResolver = systemResolverAt(system.address);
  return createAuthoritativeDns({ rootServers: [root.address], createResolver });
}

describe('the servers of a name', () => {
  test('are found by the referrals from the root down', async () => {
    const { dns, root, tld, example } = await world({
      'CNAME www.example.test': { answers: [cname('www.example.test', 'other.test')] },
    });
    expect(await dns.cname('www.example.test')).toEqual({ found: 'other.test' });
    for (const server of [root, tld, example]) expect(server.asked.map(question)).toEqual(['CNAME www.example.test']);
  });

  test('are asked on when one of them is silent, is lame, refuses or fails', { timeout: 10_000 }, async () => {
    const good = await start(() => ({ answers: [cname('www.example.test', 'good.test')] }));
    const others: Script[] = [
      () => null,
      () => ({ authoritative: false, answers: [cname('www.example.test', 'cached.test')] }),
      () => referral('test', '127.0.0.1:1'), // upwards
      () => ({ code: 5 }),
      () => ({ code: 2 }),
    ];
    for (const script of others) {
      const dns = await servedBy((await start(script)).address, good.address);
      expect(await dns.cname('www.example.test')).toEqual({ found: 'good.test' });
    }
  });

  test('are known by the addresses that come with the referral', async () => {
    const { address, port } = await start(() => noSuchName);
    const host = `ns.example.test:${port}`;
    const root = await start(() => ({
      ...referral('example.test', host),
      additionals: [a(host, '127.0.0.1'), a('other.example.test', '192.0.2.1')],
    }));
    const dns = createAuthoritativeDns({ rootServers: [root.address] });
    expect(await dns.cname('www.example.test')).toEqual({ found: null });
    expect(address).toBe(`127.0.0.1:${port}`);
  });

  test('are known to the system where no addresses come with the referral', async () => {
    const { port, asked } = await start(() => noSuchName);
    const dns = await servedBy(`nowhere.invalid:${port}`, `ns.example.org:${port}`);
    expect(await dns.cname('www.example.test')).toEqual({ found: null });
    expect(asked).toHaveLength(1);
  });

  test('are compared whatever the case', async () => {
    const example = await start(() => ({ answers: [cname('WWW.Example.TEST', 'Other.TEST')] }));
    const root = await start(() => referral('EXAMPLE.Test', example.address));
    const dns = createAuthoritativeDns({ rootServers: [root.address] });
    expect(await dns.cname('www.example.test')).toEqual({ found: 'other.test' });
    expect(await dns.cname('Www.Example.test.')).toEqual({ found: 'other.test' });
    expect(await dns.delegation('Example.test')).toEqual({ found: [example.address] });
  });

  test('that were silent once are asked after the others', { timeout: 10_000 }, async () => {
    const silent = await start(() => null);
    const good = await start(() => noSuchName);
    const dns = await servedBy(silent.address, good.address);
    for (const label of ['a', 'b', 'c']) await dns.cname(`${label}.example.test`);
    expect(silent.asked).toHaveLength(1);
    expect(good.asked).toHaveLength(3);
  });
});

describe('what could not be found out', () => {
  test('names the zone, the question and what each server did', { timeout: 10_000 }, async () => {
    const port = await freePort();
    const failing = await start(() => ({ code: 2 }));
    const lame = await start(() => ({ authoritative: false }));
    const dns = await servedBy(failing.address, lame.address, `127.0.0.1:${port}`, 'nowhere.invalid');
    expect(await dns.cname('www.example.test')).toEqual({
      failed:
        `no name server of example.test answers the question for CNAME www.example.test: ${failing.address} says SERVFAIL; ` +
        `${lame.address} is not authoritative for example.test; 127.0.0.1:${port} cannot be reached (ECONNREFUSED); ` +
        'nowhere.invalid has no address that may be asked',
    });
  });

  test('takes seconds with a silent server, once for the zone and not for each name', { timeout: 20_000 }, async () => {
    const silent = await start(() => null);
    const dns = await servedBy(silent.address);
    const started = performance.now();
    const names = Array.from({ length: 100 }, (_, index) => `${index}.example.test`);
    const found = await Promise.all(names.map((name) => dns.cname(name)));
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(new Set(found.map((each) => 'failed' in each)).size).toBe(1);
    expect(found[99]).toEqual({ failed: expect.stringContaining(`${silent.address} did not answer within 1 s`) });
  });

  test('ends after ten seconds when every zone on the way is slow', { timeout: 20_000 }, async () => {
    const zones = ['f.e.d.c.b.test', 'e.d.c.b.test', 'd.c.b.test', 'c.b.test', 'b.test', 'test'];
    // Two silent servers, a second each, stand before the one that answers.
    let below = (await start(() => noSuchName)).address;
    for (const zone of zones) {
      const servers = [await start(() => null), await start(() => null), { address: below }];
      below = (await start(() => referral(zone, ...servers.map(({ address }) => address)))).address;
    }
    const dns = createAuthoritativeDns({ rootServers: [below] });
    const started = performance.now();
    expect(await dns.cname(`www.${zones[0]}`)).toEqual({
      failed: expect.stringContaining('no name server of e.d.c.b.test answers'),
    });
    expect(performance.now() - started).toBeLessThan(10_500);
  });

  test('is the rest of the names after 45 seconds in all, however many zones are down', async () => {
    const silent = await start(() => null);
    const root = await start(({ name }) => referral(name.slice(name.indexOf('.') + 1), silent.address));
    const timeout = AbortSignal.timeout;
    // Fifty times as fast: 6 s for a zone become 120 ms, 45 s in all 900.
    const faster = vi
      .spyOn(AbortSignal, 'timeout')
      .mockImplementation((delay) => timeout.call(AbortSignal, delay / 50));
    try {
      const dns = createAuthoritativeDns({ rootServers: [root.address] });
      const started = performance.now();
      const names = Array.from({ length: 300 }, (_, index) => `www.z${index}.test`);
      const found = await Promise.all(names.map((name) => dns.cname(name)));
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(found[0]).toEqual({ failed: expect.stringContaining('no name server of z0.test answers') });
      expect(found[299]).toEqual({ failed: 'the 45 s for all look-ups were over' });
    } finally {
      faster.mockRestore();
    }
  });

  test('is a name that goes on for ever from referral to referral', async () => {
    const depth = 20;
    const labels = Array.from({ length: depth }, (_, index) => `l${index}`);
    const name = labels.join('.');
    const server: { address: string; asked: Asked[] } = await start(() =>
      referral(labels.slice(depth - server.asked.length).join('.'), server.address),
    );
    const dns = createAuthoritativeDns({ rootServers: [server.address] });
    expect(await dns.cname(name)).toEqual({ failed: `the question for CNAME ${name} was referred further 16 times` });
    expect(server.asked).toHaveLength(16);
  });

  test('is a name whose servers refer to each other or back to themselves', { timeout: 10_000 }, async () => {
    const other: { address: string } = await start(() => referral('test', other.address));
    const loop: { address: string } = await start(() => referral('example.test', loop.address, other.address));
    const dns = await servedBy(loop.address);
    expect(await dns.cname('www.example.test')).toEqual({
      failed: expect.stringContaining(`${loop.address} is not authoritative for example.test`),
    });
  });

  test('is a name without a root server that can be asked', async () => {
    const failed =
      'no root server answers the question for CNAME www.example.test: 127.0.0.1:70000 has no address that may be asked';
    const dns = createAuthoritativeDns({ rootServers: ['127.0.0.1:70000'] });
    expect(await dns.cname('www.example.test')).toEqual({ failed });
  });

  test('is a name that cannot be asked for', async () => {
    const { dns } = await world({});
    expect(await dns.cname('a..example.test')).toEqual({ failed: expect.stringContaining('cannot be asked for') });
  });
});

describe('a delegation', () => {
  test("is what the parent's referral names", async () => {
    const { dns, example } = await world({ 'NS example.test': { answers: ns('example.test', 'own.example.test') } });
    expect(await dns.delegation('example.test')).toEqual({ found: [example.address] });
    expect(example.asked).toEqual([]);
  });

  test('is known already after a look-up in the zone', async () => {
    const { dns, tld, example } = await world({});
    await dns.cname('www.example.test');
    expect(await dns.delegation('example.test')).toEqual({ found: [example.address] });
    expect(tld.asked).toHaveLength(1);
  });

  test("is the answer's NS set where the parent's server has the zone as well", async () => {
    const { dns } = await world({
      'NS sub.example.test': { answers: ns('sub.example.test', 'ns1.example.test', 'ns2.example.test') },
    });
    expect(await dns.delegation('sub.example.test')).toEqual({ found: ['ns1.example.test', 'ns2.example.test'] });
  });

  test.each([
    ['NXDOMAIN', noSuchName],
    ['no NS set', noSuchType],
    ['a CNAME in its place', { answers: [cname('sub.example.test', 'x.test'), ...ns('x.test', 'ns.x.test')] }],
  ])('is none where the parent has %s', async (_, reply) => {
    const { dns } = await world({ 'NS sub.example.test': reply });
    expect(await dns.delegation('sub.example.test')).toEqual({ found: [] });
  });

  test('is none of a name below a zone that is delegated', async () => {
    const { dns } = await world({ 'NS www.example.test': noSuchType });
    expect(await dns.delegation('www.example.test')).toEqual({ found: [] });
  });

  test('cannot be found out while the parent fails', { timeout: 10_000 }, async () => {
    const { dns, example } = await world(() => ({ code: 2 }));
    expect(await dns.delegation('sub.example.test')).toEqual({
      failed: `no name server of example.test answers the question for NS sub.example.test: ${example.address} says SERVFAIL`,
    });
  });
});

describe('a CNAME', () => {
  test('is one link of a chain', async () => {
    const { dns } = await world({
      'CNAME a.example.test': {
        answers: [cname('a.example.test', 'b.example.test'), cname('b.example.test', 'c.test')],
      },
    });
    expect(await dns.cname('a.example.test')).toEqual({ found: 'b.example.test' });
  });

  test('is also one made from a DNAME', async () => {
    const { dns } = await world({
      'CNAME a.old.example.test': {
        answers: [
          { type: 'DNAME', name: 'old.example.test', data: 'new.example.test' },
          cname('a.old.example.test', 'a.new.example.test'),
        ],
      },
    });
    expect(await dns.cname('a.old.example.test')).toEqual({ found: 'a.new.example.test' });
  });

  test.each([
    ['NXDOMAIN', noSuchName],
    ['another type', noSuchType],
  ])('is null for %s', async (_, reply) => {
    const { dns } = await world({ 'CNAME a.example.test': reply });
    expect(await dns.cname('a.example.test')).toEqual({ found: null });
  });
});

describe('the CAA set', () => {
  const issue = { critical: false, tag: 'issue', value: 'ca.test' };

  test('is that of the name itself', async () => {
    const { dns } = await world({
      'CAA www.example.test': {
        answers: [
          caa('www.example.test', 0, 'issue', 'ca.test; accounturi=https://ca.test/1'),
          caa('www.example.test', 128, 'IssueWild', ';'),
        ],
      },
      'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'other.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({
      found: {
        domain: 'www.example.test',
        records: [
          { critical: false, tag: 'issue', value: 'ca.test; accounturi=https://ca.test/1' },
          { critical: true, tag: 'issuewild', value: ';' },
        ],
      },
    });
  });

  test('is that of the closest domain above which has one', async () => {
    const { dns } = await world({ 'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'ca.test')] } });
    expect(await dns.caa('a.b.example.test')).toEqual({ found: { domain: 'example.test', records: [issue] } });
  });

  test('is none when there is none up to the root, which is not asked', async () => {
    const { dns, root, tld, example } = await world({});
    expect(await dns.caa('www.example.test')).toEqual({ found: null });
    expect(example.asked.map(question)).toEqual(['CAA www.example.test', 'CAA example.test']);
    expect(tld.asked.map(question)).toEqual(['CAA www.example.test', 'CAA test']);
    expect(root.asked.map(question)).toEqual(['CAA www.example.test']);
  });

  test('is found behind CNAMEs, before that of the domain above', async () => {
    const { dns } = await world({
      'CAA www.example.test': { answers: [cname('www.example.test', 'one.example.test')] },
      'CAA one.example.test': { answers: [cname('one.example.test', 'two.example.test')] },
      'CAA two.example.test': { answers: [caa('two.example.test', 0, 'issue', 'ca.test')] },
      'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'other.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({ found: { domain: 'two.example.test', records: [issue] } });
  });

  test('is not taken from domains above the target of a CNAME', async () => {
    const { dns } = await world({
      'CAA www.example.test': { answers: [cname('www.example.test', 'x.sub.example.test')] },
      'CAA sub.example.test': { answers: [caa('sub.example.test', 0, 'issue', 'other.test')] },
      'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'ca.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({ found: { domain: 'example.test', records: [issue] } });
  });

  test("is not believed of a server that speaks for another's domain", async () => {
    const { dns } = await world({
      'CAA www.example.test': {
        answers: [cname('www.example.test', 'www.other.test'), caa('www.other.test', 0, 'issue', 'forged.test')],
      },
    });
    expect(await dns.caa('www.example.test')).toEqual({ found: null });
  });

  test('cannot be found out behind a CNAME that goes round', async () => {
    const { dns } = await world({
      'CAA www.example.test': { answers: [cname('www.example.test', 'one.example.test')] },
      'CAA one.example.test': { answers: [cname('one.example.test', 'www.example.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({
      failed: 'the CNAME at www.example.test goes round, or on for more than 8 links',
    });
  });

  test('cannot be found out when one of the domains cannot be asked, whatever is above', {
    timeout: 10_000,
  }, async () => {
    const { dns } = await world({
      'CAA www.example.test': { code: 2 },
      'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'ca.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({ failed: expect.stringContaining('says SERVFAIL') });
  });
});

describe('servers are the same', () => {
  async function laboratory() {
    const known = {
      'ns.example.org': ['192.0.2.1'],
      'many.test': ['192.0.2.7', '192.0.2.8', '192.0.2.9'],
      'six.test': ['2001:db8::1'],
    };
    const { address } = await start(hosts(known));
    return createAuthoritativeDns({ rootServers: [], reach: 'laboratory', createResolver: systemResolverAt(address) });
  }

  test.each([
    ['by name, without a look', ['ns.invalid', 'a.invalid'], ['NS.invalid.'], true],
    ['by address', ['ns.example.org:53'], ['192.0.2.1'], true],
    ['by the third address of a host', ['192.0.2.9'], ['many.test'], true],
    ['by one address of many', ['192.0.2.1', '192.0.2.2'], ['192.0.2.3', '192.0.2.2'], true],
    ['not by another port', ['127.0.0.1:5301'], ['127.0.0.1:5302'], false],
    ['not when one side has no address', ['nowhere.invalid'], ['192.0.2.1'], false],
    ['not when there are none', [], ['192.0.2.1'], false],
  ])('%s', async (_, some, others, same) => {
    expect(await (await laboratory()).sameServers('example.test', some, others)).toEqual({ found: same });
  });

  /** What the parent says of example.test, whose servers only its glue knows, and whether they are a server at 192.0.2.1. */
  async function gluedAt(...glue: readonly Answer[]) {
    const root = await start(() => ({
      ...referral('example.test', 'ns1.example.test', 'ns2.example.test'),
      additionals: [...glue, a('bystander.test', '192.0.2.1')],
    }));
    const system = await start(hosts({ 'ns.example.org': ['192.0.2.1'] }));
    const dns = createAuthoritativeDns({
      rootServers: [root.address],
      createResolver: systemResolverAt(system.address),
    });
    await dns.delegation('example.test');
    return dns;
  }

  test('by an address that only the glue of the parent has, since resolvers follow it', async () => {
    const dns = await gluedAt(a('ns1.example.test', '192.0.2.1'), aaaa('ns1.example.test', '2001:db8::1'));
    expect(await dns.sameServers('example.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({ found: true });
  });

  test('not by glue that the parent gave for another zone', async () => {
    const dns = await gluedAt(a('ns1.example.test', '192.0.2.1'));
    expect(await dns.sameServers('other.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({ found: false });
    expect(await dns.sameServers('example.test', ['ns.example.org'], ['ns1.example.test'])).toEqual({ found: false });
  });

  test('not by the glue of the parent that leads elsewhere', async () => {
    const dns = await gluedAt(a('ns1.example.test', '192.0.2.66'), aaaa('ns1.example.test', '2001:db8::1'));
    expect(await dns.sameServers('example.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({ found: false });
  });

  test.each([
    ['nobody knows an address of', 'ns1.example.test'],
    ['the parent told an address of without naming it as a server', 'bystander.test'],
  ])('not by one that %s: no resolver finds it either', async (_, server) => {
    const dns = await gluedAt();
    expect(await dns.sameServers('example.test', [server], ['ns.example.org'])).toEqual({ found: false });
  });

  test('or not cannot be told of one that has IPv6 glue only', async () => {
    const dns = await gluedAt(aaaa('ns1.example.test', '2001:db8::1'));
    expect(await dns.sameServers('example.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({
      failed: 'some servers have IPv6 addresses only',
    });
  });

  test('or not cannot be told of one that has IPv6 addresses only', async () => {
    expect(await (await laboratory()).sameServers('example.test', ['six.test'], ['ns.example.org'])).toEqual({
      failed: 'some servers have IPv6 addresses only',
    });
  });
});

describe('what a renewal costs', () => {
  async function cost(names: readonly string[]) {
    const { dns, root, tld, example } = await world({});
    expect(await dns.delegation('example.test')).toEqual({ found: [example.address] });
    await Promise.all(names.flatMap((name) => [dns.cname(`_acme-challenge.${name}`), dns.caa(name)]));
    return { root: root.asked.length, tld: tld.asked.length, zone: example.asked.length };
  }

  test('for one name: one question at the root, two at the top-level domain, three in the zone', async () => {
    expect(await cost(['www.example.test'])).toEqual({ root: 1, tld: 2, zone: 3 });
  });

  test('for a hundred names of one zone: the same walk, and two questions for each name', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}.example.test`);
    expect(await cost(names)).toEqual({ root: 1, tld: 2, zone: 201 });
  });

  test('for a hundred names asked at once before anything is known: still one walk', async () => {
    const { dns, root, tld } = await world({});
    await Promise.all(Array.from({ length: 100 }, (_, index) => dns.cname(`n${index}.example.test`)));
    expect([root.asked.length, tld.asked.length]).toEqual([1, 1]);
  });

  test('at once no more than ten questions', { timeout: 10_000 }, async () => {
    const { dns, example } = await world(({ name }) => (name === 'www.example.test' ? noSuchName : null));
    await dns.cname('www.example.test');
    const looking = Array.from({ length: 40 }, (_, index) => dns.cname(`n${index}.example.test`));
    await setTimeout(500);
    expect(example.asked).toHaveLength(1 + 10);
    await Promise.all(looking);
  });
});

describe('what DNS says picks no address of ours', () => {
  /** example.test as one referral tells, on the Internet. */
  async function internet(told: Scripted, known: Readonly<Record<string, readonly string[]>> = {}) {
    const root = await start(() => told);
    const system = await start(hosts(known));
    const createResolver = systemResolverAt(system.address);
    return createAuthoritativeDns({ rootServers: [root.address], reach: 'internet', createResolver });
  }
  const unasked = (server: string) => ({
    failed: `no name server of example.test answers the question for CNAME www.example.test: ${server} has no address that may be asked`,
  });

  test('not by a port in the name of a server', async () => {
    const { address, asked } = await start(() => noSuchName);
    const dns = await internet(referral('example.test', address));
    expect(await dns.cname('www.example.test')).toEqual({
      failed: `the NS record at example.test names "${address}", which no host is called`,
    });
    expect(asked).toEqual([]);
  });

  test('not by a server that is called like an address', async () => {
    const dns = await internet(referral('example.test', '192.0.2.1'), { '192.0.2.1': ['192.0.2.1'] });
    expect(await dns.cname('www.example.test')).toEqual(unasked('192.0.2.1'));
  });

  test('not by addresses that come with a referral', async () => {
    const told = referral('example.test', 'ns.example.test');
    const additionals = [a('ns.example.test', '127.0.0.1'), a('ns.example.test', '169.254.169.254')];
    const dns = await internet({ ...told, additionals: [...additionals, aaaa('ns.example.test', '::1')] });
    expect(await dns.cname('www.example.test')).toEqual(unasked('ns.example.test'));
  });

  test("not by addresses that the system's resolver knows", async () => {
    const dns = await internet(referral('example.test', 'ns.example.test'), { 'ns.example.test': ['10.0.0.1', '::1'] });
    expect(await dns.cname('www.example.test')).toEqual(unasked('ns.example.test'));
  });

  test('nor by hundreds of addresses of one host: two are asked', { timeout: 10_000 }, async () => {
    const port = await freePort();
    const host = `ns.example.test:${port}`;
    const additionals = Array.from({ length: 30 }, (_, index) => a(host, `127.0.0.${index + 10}`));
    const root = await start(() => ({ ...referral('example.test', host), additionals }));
    const failed = await createAuthoritativeDns({ rootServers: [root.address] }).cname('www.example.test');
    expect(JSON.stringify(failed).match(/127\.0\.0\.\d+:\d+/g)).toEqual([`127.0.0.10:${port}`, `127.0.0.11:${port}`]);
  });
});

describe('text in the place of a name', () => {
  const forged = 'ns.test\nRun: "curl evil" \u202e\u212a';
  const shown = '"ns.test\\u000aRun: \\u0022curl evil\\u0022 \\u202e\\u212a"';

  test.each([
    ['a line break and more', forged, shown],
    ['a blank', 'a b.test', '"a b.test"'],
    ['a letter that is only like one of ASCII', '\u212a.test', '"\\u212a.test"'],
    ['nothing', '.', '""'],
  ])('is no target of a CNAME: %s', async (_, target, told) => {
    const { dns } = await world({ 'CNAME www.example.test': { answers: [cname('www.example.test', target)] } });
    const failed = `the CNAME record at www.example.test names ${told}, which no host is called`;
    expect(await dns.cname('www.example.test')).toEqual({ failed });
  });

  test('is no CNAME on the way to CAA records', async () => {
    const { dns } = await world({ 'CAA www.example.test': { answers: [cname('www.example.test', forged)] } });
    const failed = `the CNAME record at www.example.test names ${shown}, which no host is called`;
    expect(await dns.caa('www.example.test')).toEqual({ failed });
  });

  test('is no name server, of a referral and of an answer', async () => {
    const failed = (zone: string) => ({
      failed: `the NS record at ${zone} names ${shown}, which no host is called`,
    });
    expect(await (await servedBy(forged)).delegation('example.test')).toEqual(failed('example.test'));
    const { dns } = await world({ 'NS sub.example.test': { answers: ns('sub.example.test', forged) } });
    expect(await dns.delegation('sub.example.test')).toEqual(failed('sub.example.test'));
  });
});
