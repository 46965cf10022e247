import type { Answer } from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthoritativeDns } from '../../../../lambdas/adapters/dns/authoritative.ts';
import { freePort } from '../../../../local/processes.ts';
import { inVirtualTime, stopTime } from '../virtual-time.ts';
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

stopTime();

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

/** Servers of the root, of test. and of example.test, one each. The script of the last one is given by question. */
async function world(zone: Readonly<Record<string, Scripted>> | Script) {
  const example = await start(typeof zone === 'function' ? zone : (asked) => zone[question(asked)] ?? noSuchName);
  const tld = await start(({ name }) =>
    name.endsWith('example.test') ? referral('example.test', example.address) : noSuchType,
  );
  const root = await start(() => referral('test', tld.address));
  return { example, tld, root, dns: createAuthoritativeDns({ rootServers: [root.address] }) };
}

/** A script that refers every name to these servers of example.test. */
async function servedBy(...addresses: readonly string[]) {
  const root = await start(() => referral('example.test', ...addresses));
  const system = await start(hosts({ 'ns.example.org': ['127.0.0.1'] }));
  const createResolver = systemResolverAt(system.address);
  return createAuthoritativeDns({ rootServers: [root.address], createResolver });
}

describe('the servers of a name', () => {
  test('are found by following referrals from the root', async () => {
    const { dns, root, tld, example } = await world({
      'CNAME www.example.test': { answers: [cname('www.example.test', 'other.test')] },
    });
    expect(await dns.cname('www.example.test')).toEqual({ found: 'other.test' });
    for (const server of [root, tld, example]) expect(server.asked.map(question)).toEqual(['CNAME www.example.test']);
  });

  test('are queried in turn when one is silent, lame, refuses or fails', async () => {
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
      const { result } = await inVirtualTime(() => dns.cname('www.example.test'));
      expect(result).toEqual({ found: 'good.test' });
    }
  });

  test('have the addresses in the glue of the referral', async () => {
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

  test('are looked up by the system where the referral has no glue', async () => {
    const { port, asked } = await start(() => noSuchName);
    const dns = await servedBy(`nowhere.invalid:${port}`, `ns.example.org:${port}`);
    expect(await dns.cname('www.example.test')).toEqual({ found: null });
    expect(asked).toHaveLength(1);
  });

  test('are compared without regard to case', async () => {
    const example = await start(() => ({ answers: [cname('WWW.Example.TEST', 'Other.TEST')] }));
    const root = await start(() => referral('EXAMPLE.Test', example.address));
    const dns = createAuthoritativeDns({ rootServers: [root.address] });
    expect(await dns.cname('www.example.test')).toEqual({ found: 'other.test' });
    expect(await dns.cname('Www.Example.test.')).toEqual({ found: 'other.test' });
    expect(await dns.delegation('Example.test')).toEqual({ found: [example.address] });
  });

  test('that did not answer before are queried last', async () => {
    const silent = await start(() => null);
    const good = await start(() => noSuchName);
    const dns = await servedBy(silent.address, good.address);
    const { milliseconds } = await inVirtualTime(async () => {
      for (const label of ['a', 'b', 'c']) await dns.cname(`${label}.example.test`);
    });
    expect(milliseconds).toBe(1_000);
    expect(silent.asked).toHaveLength(1);
    expect(good.asked).toHaveLength(3);
  });
});

describe('a failed lookup', () => {
  test('names the zone, the question and the fault of each server', async () => {
    const port = await freePort();
    const failing = await start(() => ({ code: 2 }));
    const lame = await start(() => ({ authoritative: false }));
    const dns = await servedBy(failing.address, lame.address, `127.0.0.1:${port}`, 'nowhere.invalid');
    expect(await dns.cname('www.example.test')).toEqual({
      failed:
        `no name server of example.test answers the query for CNAME www.example.test: ${failing.address} says SERVFAIL; ` +
        `${lame.address} is not authoritative for example.test; 127.0.0.1:${port} cannot be reached (ECONNREFUSED); ` +
        'nowhere.invalid has no address that may be queried',
    });
  });

  test('waits for a silent server once for each zone, not for each name', async () => {
    const silent = await start(() => null);
    const dns = await servedBy(silent.address);
    const names = Array.from({ length: 100 }, (_, index) => `${index}.example.test`);
    const lookUp = () => Promise.all(names.map((name) => dns.cname(name)));
    const { result: found, milliseconds } = await inVirtualTime(lookUp);
    expect(milliseconds).toBe(3_000);
    expect(new Set(found.map((each) => 'failed' in each)).size).toBe(1);
    expect(found[99]).toEqual({ failed: expect.stringContaining(`${silent.address} did not answer within 1 s`) });
  });

  test('ends after ten seconds when every zone above the name is slow', async () => {
    const zones = ['f.e.d.c.b.test', 'e.d.c.b.test', 'd.c.b.test', 'c.b.test', 'b.test', 'test'];
    // Two silent servers, one second each, come before the server that answers.
    let below = (await start(() => noSuchName)).address;
    for (const zone of zones) {
      const servers = [await start(() => null), await start(() => null), { address: below }];
      below = (await start(() => referral(zone, ...servers.map(({ address }) => address)))).address;
    }
    const dns = createAuthoritativeDns({ rootServers: [below] });
    const { result, milliseconds } = await inVirtualTime(() => dns.cname(`www.${zones[0]}`));
    expect(result).toEqual({ failed: expect.stringContaining('no name server of e.d.c.b.test answers') });
    expect(milliseconds).toBe(10_000);
  });

  test('is the result for the remaining names after 45 seconds in all, however many zones are down', async () => {
    const silent = await start(() => null);
    const root = await start(({ name }) => referral(name.slice(name.indexOf('.') + 1), silent.address));
    const dns = createAuthoritativeDns({ rootServers: [root.address] });
    const names = Array.from({ length: 300 }, (_, index) => `www.z${index}.test`);
    const lookUp = () => Promise.all(names.map((name) => dns.cname(name)));
    const { result: found, milliseconds } = await inVirtualTime(lookUp);
    expect(milliseconds).toBe(45_000);
    expect(found[0]).toEqual({ failed: expect.stringContaining('no name server of z0.test answers') });
    expect(found[299]).toEqual({ failed: 'the 45 s for all lookups are over' });
  });

  test('is the result for endless referrals', async () => {
    const depth = 20;
    const labels = Array.from({ length: depth }, (_, index) => `l${index}`);
    const name = labels.join('.');
    const server: { address: string; asked: Asked[] } = await start(() =>
      referral(labels.slice(depth - server.asked.length).join('.'), server.address),
    );
    const dns = createAuthoritativeDns({ rootServers: [server.address] });
    expect(await dns.cname(name)).toEqual({ failed: `the query for CNAME ${name} was referred more than 16 times` });
    expect(server.asked).toHaveLength(16);
  });

  test('is the result where servers refer to each other or to themselves', async () => {
    const other: { address: string } = await start(() => referral('test', other.address));
    const loop: { address: string } = await start(() => referral('example.test', loop.address, other.address));
    const dns = await servedBy(loop.address);
    expect(await dns.cname('www.example.test')).toEqual({
      failed: expect.stringContaining(`${loop.address} is not authoritative for example.test`),
    });
  });

  test('is the result without a reachable root server', async () => {
    const failed =
      'no root server answers the query for CNAME www.example.test: 127.0.0.1:70000 has no address that may be queried';
    const dns = createAuthoritativeDns({ rootServers: ['127.0.0.1:70000'] });
    expect(await dns.cname('www.example.test')).toEqual({ failed });
  });

  test('is the result for a name that is not valid in DNS', async () => {
    const { dns } = await world({});
    expect(await dns.cname('a..example.test')).toEqual({ failed: expect.stringContaining('not a valid DNS name') });
  });
});

describe('a delegation', () => {
  test('is the set of servers in the referral of the parent', async () => {
    const { dns, example } = await world({ 'NS example.test': { answers: ns('example.test', 'own.example.test') } });
    expect(await dns.delegation('example.test')).toEqual({ found: [example.address] });
    expect(example.asked).toEqual([]);
  });

  test('needs no further query after a lookup in the zone', async () => {
    const { dns, tld, example } = await world({});
    await dns.cname('www.example.test');
    expect(await dns.delegation('example.test')).toEqual({ found: [example.address] });
    expect(tld.asked).toHaveLength(1);
  });

  test("is the NS set of the answer where the parent's server also serves the zone", async () => {
    const { dns } = await world({
      'NS sub.example.test': { answers: ns('sub.example.test', 'ns1.example.test', 'ns2.example.test') },
    });
    expect(await dns.delegation('sub.example.test')).toEqual({ found: ['ns1.example.test', 'ns2.example.test'] });
  });

  test('has at most thirty servers, because the address of each one is looked up', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `ns${index}.example.test`);
    const { dns } = await world(({ protocol }) =>
      protocol === 'udp' ? { truncated: true } : { answers: ns('sub.example.test', ...many) },
    );
    expect(await dns.delegation('sub.example.test')).toEqual({ found: many.slice(0, 30) });
  });

  test.each([
    ['NXDOMAIN', noSuchName],
    ['no NS set', noSuchType],
    ['a CNAME in its place', { answers: [cname('sub.example.test', 'x.test'), ...ns('x.test', 'ns.x.test')] }],
  ])('is none where the parent has %s', async (_, reply) => {
    const { dns } = await world({ 'NS sub.example.test': reply });
    expect(await dns.delegation('sub.example.test')).toEqual({ found: [] });
  });

  test('is empty for a name inside a delegated zone', async () => {
    const { dns } = await world({ 'NS www.example.test': noSuchType });
    expect(await dns.delegation('www.example.test')).toEqual({ found: [] });
  });

  test('cannot be looked up while the parent fails', async () => {
    const { dns, example } = await world(() => ({ code: 2 }));
    expect(await dns.delegation('sub.example.test')).toEqual({
      failed: `no name server of example.test answers the query for NS sub.example.test: ${example.address} says SERVFAIL`,
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

  test('may be synthesized from a DNAME', async () => {
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

  test('is the set of the name itself', async () => {
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

  test('is the set of the closest parent domain that has one', async () => {
    const { dns } = await world({ 'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'ca.test')] } });
    expect(await dns.caa('a.b.example.test')).toEqual({ found: { domain: 'example.test', records: [issue] } });
  });

  test('is absent when no domain below the root has one, and the root is not queried', async () => {
    const { dns, root, tld, example } = await world({});
    expect(await dns.caa('www.example.test')).toEqual({ found: null });
    expect(example.asked.map(question)).toEqual(['CAA www.example.test', 'CAA example.test']);
    expect(tld.asked.map(question)).toEqual(['CAA www.example.test', 'CAA test']);
    expect(root.asked.map(question)).toEqual(['CAA www.example.test']);
  });

  test('is found at the target of CNAMEs before the parent domain is queried', async () => {
    const { dns } = await world({
      'CAA www.example.test': { answers: [cname('www.example.test', 'one.example.test')] },
      'CAA one.example.test': { answers: [cname('one.example.test', 'two.example.test')] },
      'CAA two.example.test': { answers: [caa('two.example.test', 0, 'issue', 'ca.test')] },
      'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'other.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({ found: { domain: 'two.example.test', records: [issue] } });
  });

  test('is not taken from parent domains of the target of a CNAME', async () => {
    const { dns } = await world({
      'CAA www.example.test': { answers: [cname('www.example.test', 'x.sub.example.test')] },
      'CAA sub.example.test': { answers: [caa('sub.example.test', 0, 'issue', 'other.test')] },
      'CAA example.test': { answers: [caa('example.test', 0, 'issue', 'ca.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({ found: { domain: 'example.test', records: [issue] } });
  });

  test('is ignored when a server answers for a domain that it does not serve', async () => {
    const { dns } = await world({
      'CAA www.example.test': {
        answers: [cname('www.example.test', 'www.other.test'), caa('www.other.test', 0, 'issue', 'forged.test')],
      },
    });
    expect(await dns.caa('www.example.test')).toEqual({ found: null });
  });

  test('cannot be looked up at a CNAME loop', async () => {
    const { dns } = await world({
      'CAA www.example.test': { answers: [cname('www.example.test', 'one.example.test')] },
      'CAA one.example.test': { answers: [cname('one.example.test', 'www.example.test')] },
    });
    expect(await dns.caa('www.example.test')).toEqual({
      failed: 'the CNAME at www.example.test is a loop or has more than 8 links',
    });
  });

  test('cannot be looked up when one of the domains fails, whatever its parents have', async () => {
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

  /** Whether the servers of example.test, known by the glue of the parent only, include a server at 192.0.2.1. */
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

  test('by an address that only the glue of the parent has, because resolvers use it', async () => {
    const dns = await gluedAt(a('ns1.example.test', '192.0.2.1'), aaaa('ns1.example.test', '2001:db8::1'));
    expect(await dns.sameServers('example.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({ found: true });
  });

  test('not by glue for another zone', async () => {
    const dns = await gluedAt(a('ns1.example.test', '192.0.2.1'));
    expect(await dns.sameServers('other.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({ found: false });
    expect(await dns.sameServers('example.test', ['ns.example.org'], ['ns1.example.test'])).toEqual({ found: false });
  });

  test('not by glue with other addresses', async () => {
    const dns = await gluedAt(a('ns1.example.test', '192.0.2.66'), aaaa('ns1.example.test', '2001:db8::1'));
    expect(await dns.sameServers('example.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({ found: false });
  });

  test.each([
    ['without a known address', 'ns1.example.test'],
    ['that has glue but is not in the referral', 'bystander.test'],
  ])('not by a server %s, because no resolver finds it', async (_, server) => {
    const dns = await gluedAt();
    expect(await dns.sameServers('example.test', [server], ['ns.example.org'])).toEqual({ found: false });
  });

  test('or not is unknown for a server with IPv6 glue only', async () => {
    const dns = await gluedAt(aaaa('ns1.example.test', '2001:db8::1'));
    expect(await dns.sameServers('example.test', ['ns1.example.test'], ['ns.example.org'])).toEqual({
      failed: 'some servers have IPv6 addresses only',
    });
  });

  test('or not is unknown for a server with IPv6 addresses only', async () => {
    expect(await (await laboratory()).sameServers('example.test', ['six.test'], ['ns.example.org'])).toEqual({
      failed: 'some servers have IPv6 addresses only',
    });
  });
});

describe('the number of queries', () => {
  async function cost(names: readonly string[]) {
    const { dns, root, tld, example } = await world({});
    expect(await dns.delegation('example.test')).toEqual({ found: [example.address] });
    await Promise.all(names.flatMap((name) => [dns.cname(`_acme-challenge.${name}`), dns.caa(name)]));
    return { root: root.asked.length, tld: tld.asked.length, zone: example.asked.length };
  }

  test('for one name is one at the root, two at the top-level domain and three in the zone', async () => {
    expect(await cost(['www.example.test'])).toEqual({ root: 1, tld: 2, zone: 3 });
  });

  test('for a hundred names of one zone is the same for the zone, and two for each name', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}.example.test`);
    expect(await cost(names)).toEqual({ root: 1, tld: 2, zone: 201 });
  });

  test('for a hundred names at the same time includes one chain of referrals', async () => {
    const { dns, root, tld } = await world({});
    await Promise.all(Array.from({ length: 100 }, (_, index) => dns.cname(`n${index}.example.test`)));
    expect([root.asked.length, tld.asked.length]).toEqual([1, 1]);
  });

  test('at the same time is ten at most', async () => {
    const { dns, example } = await world(({ name }) => (name === 'www.example.test' ? noSuchName : null));
    await dns.cname('www.example.test');
    const askedAt: number[] = [];
    await inVirtualTime(() => {
      const looking = Array.from({ length: 40 }, (_, index) => dns.cname(`n${index}.example.test`));
      setTimeout(() => askedAt.push(example.asked.length), 999);
      return Promise.all(looking);
    });
    // A silent server has one second.
    expect(askedAt).toEqual([1 + 10]);
  });
});

describe('an address that is not public is never queried', () => {
  /** The zone example.test as one referral describes it, with the reach of the Internet. */
  async function internet(told: Scripted, known: Readonly<Record<string, readonly string[]>> = {}) {
    const root = await start(() => told);
    const system = await start(hosts(known));
    const createResolver = systemResolverAt(system.address);
    return createAuthoritativeDns({ rootServers: [root.address], reach: 'internet', createResolver });
  }
  const unasked = (server: string) => ({
    failed: `no name server of example.test answers the query for CNAME www.example.test: ${server} has no address that may be queried`,
  });

  test('when the name of a server has a port', async () => {
    const { address, asked } = await start(() => noSuchName);
    const dns = await internet(referral('example.test', address));
    expect(await dns.cname('www.example.test')).toEqual({
      failed: `the NS record at example.test points to "${address}", which is not a valid host name`,
    });
    expect(asked).toEqual([]);
  });

  test('when the name of a server is an address', async () => {
    const dns = await internet(referral('example.test', '192.0.2.1'), { '192.0.2.1': ['192.0.2.1'] });
    expect(await dns.cname('www.example.test')).toEqual(unasked('192.0.2.1'));
  });

  test('when the glue of a referral has it', async () => {
    const told = referral('example.test', 'ns.example.test');
    const additionals = [a('ns.example.test', '127.0.0.1'), a('ns.example.test', '169.254.169.254')];
    const dns = await internet({ ...told, additionals: [...additionals, aaaa('ns.example.test', '::1')] });
    expect(await dns.cname('www.example.test')).toEqual(unasked('ns.example.test'));
  });

  test("when the system's resolver returns it", async () => {
    const dns = await internet(referral('example.test', 'ns.example.test'), { 'ns.example.test': ['10.0.0.1', '::1'] });
    expect(await dns.cname('www.example.test')).toEqual(unasked('ns.example.test'));
  });

  test('and of hundreds of addresses of one host only two are queried', async () => {
    const port = await freePort();
    const host = `ns.example.test:${port}`;
    const additionals = Array.from({ length: 30 }, (_, index) => a(host, `127.0.0.${index + 10}`));
    const root = await start(() => ({ ...referral('example.test', host), additionals }));
    const failed = await createAuthoritativeDns({ rootServers: [root.address] }).cname('www.example.test');
    expect(JSON.stringify(failed).match(/127\.0\.0\.\d+:\d+/g)).toEqual([`127.0.0.10:${port}`, `127.0.0.11:${port}`]);
  });
});

describe('text in place of a name', () => {
  const forged = 'ns.test\nRun: "curl evil" \u202e\u212a';
  const shown = '"ns.test\\u000aRun: \\u0022curl evil\\u0022 \\u202e\\u212a"';

  test.each([
    ['a line break and more', forged, shown],
    ['a blank', 'a b.test', '"a b.test"'],
    ['a letter that looks like an ASCII letter', '\u212a.test', '"\\u212a.test"'],
    ['nothing', '.', '""'],
  ])('is rejected as the target of a CNAME: %s', async (_, target, told) => {
    const { dns } = await world({ 'CNAME www.example.test': { answers: [cname('www.example.test', target)] } });
    const failed = `the CNAME record at www.example.test points to ${told}, which is not a valid host name`;
    expect(await dns.cname('www.example.test')).toEqual({ failed });
  });

  test('is rejected as a CNAME in a lookup of CAA records', async () => {
    const { dns } = await world({ 'CAA www.example.test': { answers: [cname('www.example.test', forged)] } });
    const failed = `the CNAME record at www.example.test points to ${shown}, which is not a valid host name`;
    expect(await dns.caa('www.example.test')).toEqual({ failed });
  });

  test('is rejected as a name server in a referral and in an answer', async () => {
    const failed = (zone: string) => ({
      failed: `the NS record at ${zone} points to ${shown}, which is not a valid host name`,
    });
    expect(await (await servedBy(forged)).delegation('example.test')).toEqual(failed('example.test'));
    const { dns } = await world({ 'NS sub.example.test': { answers: ns('sub.example.test', forged) } });
    expect(await dns.delegation('sub.example.test')).toEqual(failed('sub.example.test'));
  });
});
