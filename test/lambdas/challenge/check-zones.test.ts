import { describe, expect, test } from 'vitest';
import { checkZones } from '../../../lambdas/challenge/check-zones.ts';
import type { RecordedAccount } from '../../../lambdas/domain/contract/certificate-facts.ts';
import type { HostedZone } from '../../../lambdas/domain/contract/config.ts';
import {
  CaaError,
  ChallengeAliasError,
  DnsLookupError,
  RoleNotAssumedError,
  ThrottledError,
  ZoneNotDelegatedError,
  ZoneNotFoundError,
} from '../../../lambdas/domain/contract/errors.ts';
import { toLambdaError } from '../../../lambdas/domain/contract/failure.ts';
import type { CheckZonesInput } from '../../../lambdas/domain/contract/steps.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { issuer, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const example: HostedZone = { id: 'Z1', name: 'example.com' };
const dev: HostedZone = { id: 'Z2', name: 'dev.example.com' };
const challengesZone: HostedZone = { id: 'Z3', name: 'acme.example.net', challengesOnly: true };
/** An account whose directory was read on the day of the order. */
const account: RecordedAccount = {
  url: 'https://ca.test/account/1',
  caaIdentities: ['ca.test'],
  readAt: '2026-03-01T12:00:00.000Z',
};

/** Creates a world in which every zone exists, with two servers to which its parent domain delegates. */
function worldOf(...zones: readonly HostedZone[]): World {
  const world = createWorld();
  for (const { id, name, role } of zones) {
    const servers = [`ns1.${id}.test`, `ns2.${id}.test`];
    world.hostedZones.addZone(id, servers, role?.arn);
    world.dns.delegate(name, ...servers);
  }
  return world;
}

const all = [example, dev, challengesZone];

function check(world: World, identifiers: readonly string[], more: Partial<CheckZonesInput> = {}) {
  const { challengeZones = all, spec = specWith({ identifiers, hostedZones: [example] }) } = more;
  return checkZones({ ...run, account, ...more, spec, challengeZones }, world.ports);
}

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('It did not fail.');
    },
    (error: unknown) => error as Error,
  );

const answerOf = (identifier: string, hostedZoneId: string, name: string) => ({ identifier, hostedZoneId, name });

describe('an identifier', () => {
  test('gets a record in the closest zone, which an apex and its wildcard share', async () => {
    const world = worldOf(...all);
    const names = ['*.example.com', 'a.b.dev.example.com', 'example.com'];
    const output = await check(world, names);
    expect(output).toEqual({
      challengeRecords: [
        answerOf('*.example.com', 'Z1', '_acme-challenge.example.com'),
        answerOf('a.b.dev.example.com', 'Z2', '_acme-challenge.a.b.dev.example.com'),
        answerOf('example.com', 'Z1', '_acme-challenge.example.com'),
      ],
      zoneServers: { Z1: ['ns1.Z1.test', 'ns2.Z1.test'], Z2: ['ns1.Z2.test', 'ns2.Z2.test'] },
      warnings: [],
    });
    expect(await check(world, names)).toEqual(output);
  });

  test('is rejected by name before an order exists if no hosted zone contains it', async () => {
    const error = await failure(
      check(worldOf(example), ['example.com', 'myexample.com'], { challengeZones: [example] }),
    );
    expect(error).toBeInstanceOf(ZoneNotFoundError);
    expect(error).toMatchObject({ fields: { certificate: 'www', identifier: 'myexample.com' } });
    expect(error.message).toContain('myexample.com');
  });

  test('is rejected with the CNAME to create if a zone for challenges is configured', async () => {
    const error = await failure(check(worldOf(...all), ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    const record = '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.acme.example.net.';
    expect(error).toMatchObject({ fields: { identifier: 'www.example.org', record } });
    expect(error.message).toContain(record);
  });

  test('needs no zone and no lookup if the CA needs no challenges', async () => {
    const world = createWorld();
    const spec = specWith({ identifiers: ['example.org'], hostedZones: [], issuer: { ...issuer, challenges: [] } });
    expect(await check(world, [], { spec, challengeZones: [] })).toEqual({
      challengeRecords: [],
      zoneServers: {},
      warnings: [],
    });
    expect(world.calls.names()).toEqual([]);
  });

  test('gets a record with the role of its zone if the zone is in another account', async () => {
    const role = { arn: 'arn:aws:iam::444455556666:role/challenges', externalId: 'us' };
    const inOtherAccount = { ...example, role };
    const { challengeRecords } = await check(worldOf(inOtherAccount), ['example.com'], {
      challengeZones: [inOtherAccount],
    });
    expect(challengeRecords).toEqual([{ ...answerOf('example.com', 'Z1', '_acme-challenge.example.com'), role }]);
  });
});

describe('a CNAME at the name of the record', () => {
  const target = '_acme-challenge.www.example.com.acme.example.net';

  test('is followed to its target, which gets the record', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.com', target);
    world.hostedZones.put('Z1', '_acme-challenge.www.example.com', [], { unsuitable: 'it is a CNAME' });
    const { challengeRecords } = await check(world, ['www.example.com']);
    expect(challengeRecords).toEqual([answerOf('www.example.com', 'Z3', target)]);
  });

  test('is enough for a domain without a configured zone', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.org', 'any.acme.example.net');
    const { challengeRecords } = await check(world, ['*.www.example.org', 'www.example.org']);
    expect(challengeRecords).toEqual([
      answerOf('*.www.example.org', 'Z3', 'any.acme.example.net'),
      answerOf('www.example.org', 'Z3', 'any.acme.example.net'),
    ]);
    expect(world.calls.names('dns.cname')).toHaveLength(2);
  });

  test('is followed over eight links', async () => {
    const world = worldOf(...all);
    chain(world, 8, 'end.acme.example.net');
    const { challengeRecords } = await check(world, ['www.example.org']);
    expect(challengeRecords).toEqual([answerOf('www.example.org', 'Z3', 'end.acme.example.net')]);
  });

  test('is rejected with its chain if that has nine links', async () => {
    const world = worldOf(...all);
    chain(world, 9, 'end.acme.example.net');
    const error = await failure(check(world, ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error.message).toContain('_acme-challenge.www.example.org -> link1.test -> link2.test');
    expect(error.message).toContain('more than 8 links');
  });

  test('is rejected with its chain if that is a loop', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.org', 'one.test');
    world.dns.alias('one.test', 'two.test');
    world.dns.alias('two.test', 'one.test');
    const error = await failure(check(world, ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error.message).toContain('_acme-challenge.www.example.org -> one.test -> two.test -> one.test form a loop');
    expect(error.message).toContain('_acme-challenge.www.example.org. 300 IN CNAME ');
  });

  test('is rejected with the record to create if it points to no configured zone', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.org', 'proof.elsewhere.test');
    const error = await failure(check(world, ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error.message).toContain('_acme-challenge.www.example.org -> proof.elsewhere.test points into none');
    expect(error).toMatchObject({
      fields: {
        record: '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.acme.example.net.',
      },
    });
  });

  test('is rejected with the record to create if it points to another name than _acme-challenge in an ordinary zone', async () => {
    const world = worldOf(example);
    world.dns.alias('_acme-challenge.www.example.org', 'proof.example.com');
    const error = await failure(check(world, ['www.example.org'], { challengeZones: [example] }));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error).toMatchObject({
      fields: { record: '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.example.com.' },
    });
  });

  test('is followed to an _acme-challenge name in an ordinary zone', async () => {
    const world = worldOf(example);
    world.dns.alias('_acme-challenge.www.example.org', '_acme-challenge.org.example.com');
    const { challengeRecords } = await check(world, ['www.example.org'], { challengeZones: [example] });
    expect(challengeRecords).toEqual([answerOf('www.example.org', 'Z1', '_acme-challenge.org.example.com')]);
  });

  test('is not followed if it comes from a wildcard of the hosted zone', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.com', 'example.com');
    const { challengeRecords } = await check(world, ['www.example.com']);
    expect(challengeRecords).toEqual([answerOf('www.example.com', 'Z1', '_acme-challenge.www.example.com')]);
  });

  test('is followed from a part of the hosted zone that is delegated to other servers', async () => {
    const world = worldOf(...all);
    world.dns.delegate('sub.example.com', 'ns.other.test');
    world.dns.alias('_acme-challenge.www.sub.example.com', target);
    const { challengeRecords, warnings } = await check(world, ['www.sub.example.com']);
    expect(challengeRecords).toEqual([answerOf('www.sub.example.com', 'Z3', target)]);
    expect(warnings).toEqual([]);
  });

  test('is not looked up if the configuration gives its target', async () => {
    const world = worldOf(...all);
    const spec = specWith({
      identifiers: ['*.example.org'],
      hostedZones: [],
      challengeAliases: { 'example.org': 'configured.acme.example.net' },
    });
    const { challengeRecords } = await check(world, [], { spec });
    expect(challengeRecords).toEqual([answerOf('*.example.org', 'Z3', 'configured.acme.example.net')]);
    expect(world.calls.names('dns.cname')).toEqual([]);
  });

  test('causes a warning if its lookup fails and the record can be written at the name itself', async () => {
    const world = worldOf(...all);
    world.dns.fail('cname _acme-challenge.example.com');
    const { challengeRecords, warnings } = await check(world, ['example.com']);
    expect(challengeRecords).toEqual([answerOf('example.com', 'Z1', '_acme-challenge.example.com')]);
    expect(warnings).toEqual([
      'Whether a CNAME exists at _acme-challenge.example.com could not be determined: no server answered.',
    ]);
  });

  test.each([
    ['at the name itself', '_acme-challenge.www.example.com'],
    ['in the middle of a chain', 'middle.acme.example.net'],
  ])('causes a retry if its lookup fails %s and the hosted zone has a CNAME there', async (_, name) => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.com', 'middle.acme.example.net');
    world.dns.alias('middle.acme.example.net', target);
    for (const [zone, at] of [
      ['Z1', '_acme-challenge.www.example.com'],
      ['Z3', 'middle.acme.example.net'],
    ] as const)
      world.hostedZones.put(zone, at, [], { unsuitable: 'it is a CNAME' });
    world.dns.fail(`cname ${name}`);
    const error = await failure(check(world, ['www.example.com']));
    expect(error).toBeInstanceOf(DnsLookupError);
    expect(error.message).toContain(`Whether a CNAME exists at ${name} could not be determined`);
  });

  test('is reported as a wrong delegation if its lookup fails in a zone that is not delegated', async () => {
    const world = worldOf(example);
    world.hostedZones.put('Z1', '_acme-challenge.example.com', [], { unsuitable: 'it is a CNAME' });
    world.dns.delegate('example.com', 'ns.old.test');
    world.dns.fail('cname _acme-challenge.example.com');
    const challengeZones = [example];
    expect(await failure(check(world, ['example.com'], { challengeZones }))).toBeInstanceOf(ZoneNotDelegatedError);
  });

  test('causes a retry if its lookup fails in a part of the hosted zone that is delegated to other servers', async () => {
    const world = worldOf(...all);
    world.dns.delegate('sub.example.com', 'ns.other.test');
    world.dns.fail('cname _acme-challenge.www.sub.example.com');
    expect(await failure(check(world, ['www.sub.example.com']))).toBeInstanceOf(DnsLookupError);
  });

  test('causes a retry if its lookup fails and no hosted zone contains the name', async () => {
    const world = worldOf(...all);
    world.dns.fail('cname _acme-challenge.example.org');
    const error = await failure(check(world, ['example.org']));
    expect(error).toBeInstanceOf(DnsLookupError);
    expect(error.message).toContain('no server answered');
  });

  function chain(world: World, links: number, end: string): void {
    const names = [
      '_acme-challenge.www.example.org',
      ...Array.from({ length: links - 1 }, (_, index) => `link${index + 1}.test`),
      end,
    ];
    for (const [index, name] of names.slice(0, -1).entries()) world.dns.alias(name, names[index + 1] ?? '');
  }
});

describe('a hosted zone', () => {
  test('is reported with the certificate if it was deleted after the deployment', async () => {
    const world = worldOf(example);
    world.hostedZones.removeZone('Z1');
    const error = await failure(check(world, ['a.example.com', 'b.example.com'], { challengeZones: [example] }));
    expect(error).toBeInstanceOf(ZoneNotFoundError);
    expect(error.message).toContain('Certificate www: Hosted zone Z1');
    expect(error).toMatchObject({ fields: { certificate: 'www', zone: 'Z1' } });
    expect(world.calls.made).toContainEqual({ name: 'hostedZones.nameServers', args: ['Z1', 'example.com'] });
  });

  test('is reported with the certificate if it was deleted and is read for a CNAME', async () => {
    const world = worldOf(example);
    world.hostedZones.removeZone('Z1');
    world.dns.alias('_acme-challenge.www.example.com', 'x.example.com');
    await expect(check(world, ['www.example.com'], { challengeZones: [example] })).rejects.toThrow(
      'Certificate www: Hosted zone Z1',
    );
  });

  test('is reported with the certificate and the role if the role cannot be assumed', async () => {
    const role = { arn: 'arn:aws:iam::444455556666:role/challenges' };
    const inOtherAccount = { ...example, role };
    const world = worldOf(inOtherAccount);
    world.hostedZones.refusedRoles.add(role.arn);
    const error = await failure(check(world, ['example.com'], { challengeZones: [inOtherAccount] }));
    expect(error).toBeInstanceOf(RoleNotAssumedError);
    expect(error).toMatchObject({ fields: { certificate: 'www', role: role.arn } });
  });

  test('is rejected with the certificate if it is private', async () => {
    const world = worldOf(example);
    world.calls.answer('hostedZones.nameServers', new ZoneNotFoundError({ what: 'Hosted zone Z1 is a private zone.' }));
    await expect(check(world, ['example.com'])).rejects.toThrow('Certificate www: Hosted zone Z1 is a private zone');
  });

  test('is rejected without name servers to set if its id belongs to another domain', async () => {
    const world = worldOf(example);
    world.hostedZones.otherNames.set('Z1', 'other.example');
    world.dns.delegate('example.com', 'ns1.right.test');
    const error = await failure(check(world, ['example.com']));
    expect(error).toBeInstanceOf(ZoneNotFoundError);
    expect(error.message).toContain('Certificate www: Hosted zone Z1 is other.example., not example.com');
    expect(error.message).not.toContain('IN NS');
  });

  test('is rejected with the records to set if the parent domain delegates to other servers', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns1.old.test', 'ns2.old.test');
    const error = await failure(check(world, ['www.example.com']));
    expect(error).toBeInstanceOf(ZoneNotDelegatedError);
    expect(error).toMatchObject({
      fields: { certificate: 'www', zone: 'Z1', servers: ['ns1.old.test', 'ns2.old.test'] },
    });
    expect(error.message).toContain('delegates example.com to ns1.old.test, ns2.old.test');
    expect(error.message).toContain('by ns1.Z1.test, ns2.Z1.test');
    expect(error.message).toContain('`example.com. 3600 IN NS ns1.z1.test.`; `example.com. 3600 IN NS ns2.z1.test.`');
  });

  test('is rejected if the parent domain does not delegate it', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com');
    const error = await failure(check(world, ['www.example.com']));
    expect(error).toBeInstanceOf(ZoneNotDelegatedError);
    expect(error.message).toContain('delegates example.com to no server');
    expect(error).toMatchObject({ fields: { certificate: 'www', servers: [] } });
  });

  test('causes a warning with the other servers if it is also delegated to servers of another zone', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'NS1.Z1.test.', 'ns2.old.test');
    const { challengeRecords, warnings } = await check(world, ['example.com']);
    expect(challengeRecords).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining('is also delegated to ns2.old.test')]);
  });

  test('is recognized by the addresses of its white-label name servers', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns1.example.com', 'ns2.example.com');
    for (const number of [1, 2]) {
      world.dns.address(`ns${number}.Z1.test`, `192.0.2.${number}`);
      world.dns.address(`ns${number}.example.com`, `192.0.2.${number}`);
    }
    expect((await check(world, ['example.com'])).warnings).toEqual([]);
  });

  test('causes a warning if the lookup of its delegation fails', async () => {
    const world = worldOf(example);
    world.dns.fail('delegation example.com', 'SERVFAIL from 192.0.2.53');
    expect((await check(world, ['example.com'])).warnings).toEqual([
      'Whether example.com is delegated to hosted zone Z1 could not be determined: SERVFAIL from 192.0.2.53.',
    ]);
  });

  test('is not checked for delegated parts if the lookup of its own delegation fails', async () => {
    const world = worldOf(example);
    world.dns.fail('delegation example.com');
    world.dns.fail('delegation _acme-challenge.example.com');
    expect((await check(world, ['example.com'])).warnings).toHaveLength(1);
  });

  test('is rejected with the records to set even if it is delegated to very many servers', async () => {
    const world = worldOf(example);
    world.dns.delegate(
      'example.com',
      ...Array.from({ length: 13 }, (_, index) => `ns${index}.${'x'.repeat(200)}.test`),
    );
    const { message } = await failure(check(world, ['example.com']));
    expect(message).toContain('and 7 more');
    expect(message.length).toBeLessThan(2048);
  });

  test('causes a warning and no rejection if the addresses of its servers cannot be looked up', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns1.example.com');
    world.dns.fail('addresses ns1.example.com', 'a timeout');
    expect((await check(world, ['example.com'])).warnings).toEqual([expect.stringContaining('a timeout')]);
  });

  test('is looked up once for any number of names', async () => {
    const world = worldOf(...all);
    await check(world, ['example.com', 'a.example.com', '*.a.example.com', 'dev.example.com']);
    expect(world.calls.names('hostedZones.')).toEqual(['hostedZones.nameServers', 'hostedZones.nameServers']);
    const asked = world.calls.made.flatMap(({ name, args: [zone] }) => (name === 'dns.delegation' ? [zone] : []));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toEqual(expect.arrayContaining(['example.com', 'dev.example.com']));
  });

  test('is rejected with the records to remove if it delegates the name to a zone that is not configured', async () => {
    const world = worldOf(example);
    world.dns.delegate('sub.example.com', 'ns.other.test');
    const error = await failure(check(world, ['www.sub.example.com'], { challengeZones: [example] }));
    expect(error).toBeInstanceOf(ZoneNotDelegatedError);
    expect(error).toMatchObject({ fields: { zone: 'Z1', servers: ['ns.other.test'] } });
    expect(error.message).toContain('not find _acme-challenge.www.sub.example.com in hosted zone Z1 of example.com');
    expect(error.message).toContain('remove these records: `sub.example.com. 3600 IN NS ns.other.test.`');
    expect((await check(world, ['www.example.com'], { challengeZones: [example] })).warnings).toEqual([]);
  });

  test('causes a warning if the lookup of a delegated part fails', async () => {
    const world = worldOf(example);
    world.dns.fail('delegation _acme-challenge.example.com');
    expect((await check(world, ['example.com'])).warnings).toEqual([
      'Whether _acme-challenge.example.com is a zone of its own could not be determined: no server answered.',
    ]);
  });

  test('is rejected if a CNAME points into it and it is not delegated', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.example.org', 'x.acme.example.net');
    world.dns.delegate('acme.example.net', 'ns.old.test');
    expect((await failure(check(world, ['example.org']))).message).toContain(
      'acme.example.net. 3600 IN NS ns1.z3.test.',
    );
  });
});

describe('a CAA set', () => {
  test('is reported as the target of a CNAME if it was found there', async () => {
    const world = worldOf(example);
    world.dns.alias('www.example.com', 'cdn.test');
    world.dns.setCaa('cdn.test', '0 issue ";"');
    const error = await failure(check(world, ['www.example.com']));
    expect(error.message).toContain(
      'The CAA set at cdn.test, the target of a CNAME, does not name this CA: 0 issue ";"',
    );
  });

  test('is accepted if it allows the issuer, and the CAA set of the alias is ignored', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.example.org', 'x.acme.example.net');
    world.dns.setCaa('example.org', '0 issue "ca.test"');
    world.dns.setCaa('example.net', '0 issue ";"');
    expect((await check(world, ['example.org'])).warnings).toEqual([]);
  });

  test('is rejected with the identifier, the domain, the records and the record to add if it allows other CAs only', async () => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 issue "other.test"', '0 iodef "mailto:a@example.com"');
    const error = await failure(check(world, ['*.www.example.com']));
    expect(error).toBeInstanceOf(CaaError);
    const record = 'example.com. 300 IN CAA 0 issue "ca.test"';
    expect(error).toMatchObject({
      fields: { certificate: 'www', identifier: '*.www.example.com', issuer: 'test-ca', record },
      problem: { identifier: '*.www.example.com' },
    });
    expect(error.message).toContain('The CAA set at example.com does not name this CA: 0 issue "other.test".');
    expect(error.message).toContain(`\`${record}\``);
  });

  test.each([
    ['whose account is not known yet', null, 'after the first order'],
    ['whose directory lists no CAA identities', { ...account, caaIdentities: [] }, 'its directory lists no'],
  ])('causes a warning for an issuer %s', async (_, known, why) => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 issue ";"');
    expect((await check(world, ['example.com'], { account: known })).warnings).toEqual([expect.stringContaining(why)]);
  });

  test.each([
    ['2026-01-30T12:00:00.000Z', true],
    ['2026-01-30T11:59:59.999Z', false],
    [null, false],
  ])('is judged by CAA identities that were read at %s, at most 30 days ago: %s', async (readAt, refuses) => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 issue "other.test"');
    const checked = check(world, ['example.com'], { account: { ...account, readAt } });
    if (refuses) return expect(checked).rejects.toThrow(CaaError);
    expect(await checked).toMatchObject({
      challengeRecords: [{ identifier: 'example.com' }],
      warnings: [expect.stringMatching(/^The CAA set at example\.com does not name this CA.*the CA decides/)],
    });
  });

  test('causes no warning if it restricts no CA', async () => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 iodef "mailto:a@example.com"');
    expect((await check(world, ['example.com'], { account: null })).warnings).toEqual([]);
  });

  test('causes a warning if its lookup fails', async () => {
    const world = worldOf(example);
    world.dns.fail('caa example.com', 'SERVFAIL');
    expect((await check(world, ['example.com'])).warnings).toEqual([
      'The CAA records of example.com could not be looked up: SERVFAIL.',
    ]);
  });
});

describe('several problems', () => {
  test('are reported in the first one by the order of identifiers, with what to do about the others', async () => {
    const world = worldOf(...all);
    world.dns.delegate('example.com', 'ns.old.test');
    world.dns.setCaa('dev.example.com', '0 issue ";"');
    const error = await failure(check(world, ['dev.example.com', 'a.example.com', 'b.example.com', 'example.org']));
    expect(error).toBeInstanceOf(CaaError);
    expect(error.message).toMatch(
      /issue for dev\.example\.com\. .* IN CAA .* 2 other problems were found\. Create this record too: `_acme-challenge\.example\.org\. 300 IN CNAME .*`\. .* The parent domain delegates example\.com to /,
    );
    expect(world.log.messages('error')).toHaveLength(2);
  });

  test('are reported with all records to create for ten identifiers without CNAMEs', async () => {
    const identifiers = Array.from({ length: 10 }, (_, index) => `w${index}.example.org`);
    const error = await failure(check(worldOf(...all), identifiers));
    const [first, ...others] = identifiers.map(
      (name) => `\`_acme-challenge.${name}. 300 IN CNAME _acme-challenge.${name}.acme.example.net.\``,
    );
    expect(error.message).toContain(`this record: ${first}.`);
    expect(error.message).toContain(`9 other problems were found. Create these records too: ${others.join('; ')}.`);
    expect(toLambdaError(error).message.split('\n')[0]).toBe(error.message);
  });

  test('are counted if they do not fit into the message, which then refers to the log', async () => {
    const identifiers = Array.from({ length: 100 }, (_, index) => `w${index}.${'x'.repeat(50)}.example.org`);
    const certificate = 'c'.repeat(64);
    const error = await failure(check(worldOf(...all), identifiers, { certificate }));
    const { message } = error;
    expect(message.length).toBeLessThanOrEqual(2048);
    expect(message.length).toBeGreaterThan(1700);
    const shown = message.match(/ IN CNAME /g)?.length ?? 0;
    expect(message).toContain(`The log of the challenge function (output ChallengeLogs) has ${100 - shown} more.`);
  });

  test('are reported with both records if one domain is the parent of the other', async () => {
    const world = worldOf(...all);
    for (const name of ['dev.example.com', 'example.com']) world.dns.setCaa(name, '0 issue ";"');
    const { message } = await failure(check(world, ['dev.example.com', 'example.com']));
    expect(message.match(/`[a-z.]+ 300 IN CAA /g)).toEqual([
      '`dev.example.com. 300 IN CAA ',
      '`example.com. 300 IN CAA ',
    ]);
  });

  test('are reported once if one record fixes them', async () => {
    const { message } = await failure(check(worldOf(...all), ['*.example.org', 'example.org']));
    expect(message).not.toContain('other problem');
  });

  test('are reported once if they have the same hosted zone', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns.old.test');
    const error = await failure(check(world, ['a.example.com', 'b.example.com']));
    expect(error.message).not.toContain('other');
  });

  test('are thrown as a retryable error if that is the first', async () => {
    const world = worldOf(...all);
    world.calls.answer('hostedZones.nameServers', throttledError());
    await expect(check(world, ['example.com', 'example.org'])).rejects.toThrow(ThrottledError);
  });
});

test('shortens warnings for the state, and logs them completely', async () => {
  const world = worldOf(example);
  const names = Array.from({ length: 100 }, (_, index) => `w${index}.example.com`);
  for (const name of names) world.dns.fail(`caa ${name}`, 'x'.repeat(1000));
  const { warnings } = await check(world, names);
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toBe('90 more warnings are in the log.');
  expect(Math.max(...warnings.map(({ length }) => length))).toBe(300);
  expect(world.log.messages('warn')).toHaveLength(100);
});
