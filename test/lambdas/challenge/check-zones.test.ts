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
const spare: HostedZone = { id: 'Z3', name: 'acme.example.net', challengesOnly: true };
/** Read on the day of the order. */
const account: RecordedAccount = {
  url: 'https://ca.test/account/1',
  caaIdentities: ['ca.test'],
  readAt: '2026-03-01T12:00:00.000Z',
};

/** Every zone exists, with two servers, and its parent domain delegates to them. */
function worldOf(...zones: readonly HostedZone[]): World {
  const world = createWorld();
  for (const { id, name, role } of zones) {
    const servers = [`ns1.${id}.test`, `ns2.${id}.test`];
    world.hostedZones.addZone(id, servers, role?.arn);
    world.dns.delegate(name, ...servers);
  }
  return world;
}

const all = [example, dev, spare];

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
  test('goes to the closest zone; an apex and its wildcard share a record', async () => {
    const world = worldOf(...all);
    const names = ['*.example.com', 'a.b.dev.example.com', 'example.com'];
    const output = await check(world, names);
    expect(output).toEqual({
      challengeRecords: [
        answerOf('*.example.com', 'Z1', '_acme-challenge.example.com'),
        answerOf('a.b.dev.example.com', 'Z2', '_acme-challenge.a.b.dev.example.com'),
        answerOf('example.com', 'Z1', '_acme-challenge.example.com'),
      ],
      warnings: [],
    });
    expect(await check(world, names)).toEqual(output);
  });

  test('without a zone fails before an order exists, with its name', async () => {
    const error = await failure(
      check(worldOf(example), ['example.com', 'myexample.com'], { challengeZones: [example] }),
    );
    expect(error).toBeInstanceOf(ZoneNotFoundError);
    expect(error).toMatchObject({ fields: { certificate: 'www', identifier: 'myexample.com' } });
    expect(error.message).toContain('myexample.com');
  });

  test('without a zone, where one is for challenges only, is told the CNAME to make', async () => {
    const error = await failure(check(worldOf(...all), ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    const record = '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.acme.example.net.';
    expect(error).toMatchObject({ fields: { identifier: 'www.example.org', record } });
    expect(error.message).toContain(record);
  });

  test('of a CA that wants no proof needs no zone, and nothing is looked up', async () => {
    const world = createWorld();
    const spec = specWith({ identifiers: ['example.org'], hostedZones: [], issuer: { ...issuer, challenges: 'none' } });
    expect(await check(world, [], { spec, challengeZones: [] })).toEqual({ challengeRecords: [], warnings: [] });
    expect(world.calls.names()).toEqual([]);
  });

  test('in a zone of another account is written with its role', async () => {
    const role = { arn: 'arn:aws:iam::444455556666:role/challenges', externalId: 'us' };
    const foreign = { ...example, role };
    const { challengeRecords } = await check(worldOf(foreign), ['example.com'], { challengeZones: [foreign] });
    expect(challengeRecords).toEqual([{ ...answerOf('example.com', 'Z1', '_acme-challenge.example.com'), role }]);
  });
});

describe('a CNAME at the name of the record', () => {
  const target = '_acme-challenge.www.example.com.acme.example.net';

  test('is followed: its target is written, and the original never', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.com', target);
    world.hostedZones.put('Z1', '_acme-challenge.www.example.com', [], { unsuitable: 'a CNAME stands there' });
    const { challengeRecords } = await check(world, ['www.example.com']);
    expect(challengeRecords).toEqual([answerOf('www.example.com', 'Z3', target)]);
  });

  test('of a domain that is nowhere else with us is enough', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.org', 'any.acme.example.net');
    const { challengeRecords } = await check(world, ['*.www.example.org', 'www.example.org']);
    expect(challengeRecords).toEqual([
      answerOf('*.www.example.org', 'Z3', 'any.acme.example.net'),
      answerOf('www.example.org', 'Z3', 'any.acme.example.net'),
    ]);
    expect(world.calls.names('dns.cname')).toHaveLength(2);
  });

  test('may lead to another, eight in a row', async () => {
    const world = worldOf(...all);
    chain(world, 8, 'end.acme.example.net');
    const { challengeRecords } = await check(world, ['www.example.org']);
    expect(challengeRecords).toEqual([answerOf('www.example.org', 'Z3', 'end.acme.example.net')]);
  });

  test('the ninth is refused, and the chain named', async () => {
    const world = worldOf(...all);
    chain(world, 9, 'end.acme.example.net');
    const error = await failure(check(world, ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error.message).toContain('_acme-challenge.www.example.org -> link1.test -> link2.test');
    expect(error.message).toContain('more than 8 links');
  });

  test('in a loop is refused, and the chain named', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.org', 'one.test');
    world.dns.alias('one.test', 'two.test');
    world.dns.alias('two.test', 'one.test');
    const error = await failure(check(world, ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error.message).toContain('_acme-challenge.www.example.org -> one.test -> two.test -> one.test go round');
    expect(error.message).toContain('_acme-challenge.www.example.org. 300 IN CNAME ');
  });

  test('into a zone that we may not write is refused with the record to make', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.org', 'proof.elsewhere.test');
    const error = await failure(check(world, ['www.example.org']));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error.message).toContain('_acme-challenge.www.example.org -> proof.elsewhere.test leads into none');
    expect(error).toMatchObject({
      fields: {
        record: '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.acme.example.net.',
      },
    });
  });

  test('to another name than a challenge’s, in a zone that has more in it, is refused with the record to make', async () => {
    const world = worldOf(example);
    world.dns.alias('_acme-challenge.www.example.org', 'proof.example.com');
    const error = await failure(check(world, ['www.example.org'], { challengeZones: [example] }));
    expect(error).toBeInstanceOf(ChallengeAliasError);
    expect(error).toMatchObject({
      fields: { record: '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.example.com.' },
    });
  });

  test('to a challenge’s name in a zone that has more in it is followed', async () => {
    const world = worldOf(example);
    world.dns.alias('_acme-challenge.www.example.org', '_acme-challenge.org.example.com');
    const { challengeRecords } = await check(world, ['www.example.org'], { challengeZones: [example] });
    expect(challengeRecords).toEqual([answerOf('www.example.org', 'Z1', '_acme-challenge.org.example.com')]);
  });

  test('that a wildcard of our zone makes is none: the TXT record takes its place', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.com', 'example.com');
    const { challengeRecords } = await check(world, ['www.example.com']);
    expect(challengeRecords).toEqual([answerOf('www.example.com', 'Z1', '_acme-challenge.www.example.com')]);
  });

  test('that stands in a part of our zone that is delegated to others is followed', async () => {
    const world = worldOf(...all);
    world.dns.delegate('sub.example.com', 'ns.other.test');
    world.dns.alias('_acme-challenge.www.sub.example.com', target);
    const { challengeRecords, warnings } = await check(world, ['www.sub.example.com']);
    expect(challengeRecords).toEqual([answerOf('www.sub.example.com', 'Z3', target)]);
    expect(warnings).toEqual([]);
  });

  test('that the configuration tells is not looked up', async () => {
    const world = worldOf(...all);
    const spec = specWith({
      identifiers: ['*.example.org'],
      hostedZones: [],
      challengeAliases: { 'example.org': 'told.acme.example.net' },
    });
    const { challengeRecords } = await check(world, [], { spec });
    expect(challengeRecords).toEqual([answerOf('*.example.org', 'Z3', 'told.acme.example.net')]);
    expect(world.calls.names('dns.cname')).toEqual([]);
  });

  test('that cannot be looked up is a warning where the zone is ours', async () => {
    const world = worldOf(...all);
    world.dns.fail('cname _acme-challenge.example.com');
    const { challengeRecords, warnings } = await check(world, ['example.com']);
    expect(challengeRecords).toEqual([answerOf('example.com', 'Z1', '_acme-challenge.example.com')]);
    expect(warnings).toEqual([
      'Whether a CNAME stands at _acme-challenge.example.com could not be found out: no server answered.',
    ]);
  });

  test.each([
    ['at the name itself', '_acme-challenge.www.example.com'],
    ['in the middle of a chain', 'middle.acme.example.net'],
  ])('that cannot be looked up %s and stands in our zone is tried again: the right CNAME stays', async (_, name) => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.www.example.com', 'middle.acme.example.net');
    world.dns.alias('middle.acme.example.net', target);
    for (const [zone, at] of [
      ['Z1', '_acme-challenge.www.example.com'],
      ['Z3', 'middle.acme.example.net'],
    ] as const)
      world.hostedZones.put(zone, at, [], { unsuitable: 'a CNAME stands there' });
    world.dns.fail(`cname ${name}`);
    const error = await failure(check(world, ['www.example.com']));
    expect(error).toBeInstanceOf(DnsLookupError);
    expect(error.message).toContain(`Whether a CNAME stands at ${name} could not be found out`);
  });

  test('that cannot be looked up since the zone is not delegated is refused with the records to set', async () => {
    const world = worldOf(example);
    world.hostedZones.put('Z1', '_acme-challenge.example.com', [], { unsuitable: 'a CNAME stands there' });
    world.dns.delegate('example.com', 'ns.old.test');
    world.dns.fail('cname _acme-challenge.example.com');
    const challengeZones = [example];
    expect(await failure(check(world, ['example.com'], { challengeZones }))).toBeInstanceOf(ZoneNotDelegatedError);
  });

  test('that cannot be looked up in a part of our zone that others have is tried again: nothing has to be removed', async () => {
    const world = worldOf(...all);
    world.dns.delegate('sub.example.com', 'ns.other.test');
    world.dns.fail('cname _acme-challenge.www.sub.example.com');
    expect(await failure(check(world, ['www.sub.example.com']))).toBeInstanceOf(DnsLookupError);
  });

  test('that cannot be looked up where all depends on it is tried again: nobody has to mend anything', async () => {
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
  test('that was deleted since the deploy is named with the certificate', async () => {
    const world = worldOf(example);
    world.hostedZones.removeZone('Z1');
    const error = await failure(check(world, ['a.example.com', 'b.example.com'], { challengeZones: [example] }));
    expect(error).toBeInstanceOf(ZoneNotFoundError);
    expect(error.message).toBe('Certificate www: Hosted zone Z1 does not exist.');
    expect(error).toMatchObject({ fields: { certificate: 'www', zone: 'Z1' } });
    expect(world.calls.made).toContainEqual({ name: 'hostedZones.nameServers', args: ['Z1', 'example.com'] });
  });

  test('that was deleted and is read for a CNAME is named with the certificate', async () => {
    const world = worldOf(example);
    world.hostedZones.removeZone('Z1');
    world.dns.alias('_acme-challenge.www.example.com', 'x.example.com');
    await expect(check(world, ['www.example.com'], { challengeZones: [example] })).rejects.toThrow(
      'Certificate www: Hosted zone Z1 does not exist.',
    );
  });

  test('whose role cannot be assumed is named with the certificate and the role', async () => {
    const role = { arn: 'arn:aws:iam::444455556666:role/challenges' };
    const foreign = { ...example, role };
    const world = worldOf(foreign);
    world.hostedZones.refusedRoles.add(role.arn);
    const error = await failure(check(world, ['example.com'], { challengeZones: [foreign] }));
    expect(error).toBeInstanceOf(RoleNotAssumedError);
    expect(error).toMatchObject({ fields: { certificate: 'www', role: role.arn } });
  });

  test('that is private is refused, and the certificate that waits for it is named', async () => {
    const world = worldOf(example);
    world.calls.answer('hostedZones.nameServers', new ZoneNotFoundError({ what: 'Hosted zone Z1 is a private zone.' }));
    await expect(check(world, ['example.com'])).rejects.toThrow('Certificate www: Hosted zone Z1 is a private zone');
  });

  test('whose id is of another zone is refused, and nobody is told to set the name servers of that', async () => {
    const world = worldOf(example);
    world.hostedZones.otherNames.set('Z1', 'other.example');
    world.dns.delegate('example.com', 'ns1.right.test');
    const error = await failure(check(world, ['example.com']));
    expect(error).toBeInstanceOf(ZoneNotFoundError);
    expect(error.message).toContain('Certificate www: Hosted zone Z1 is other.example., not example.com');
    expect(error.message).not.toContain('IN NS');
  });

  test('that the parent domain does not lead to is refused with the records to set there', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns1.old.test', 'ns2.old.test');
    const error = await failure(check(world, ['www.example.com']));
    expect(error).toBeInstanceOf(ZoneNotDelegatedError);
    expect(error).toMatchObject({
      fields: { certificate: 'www', zone: 'Z1', servers: ['ns1.old.test', 'ns2.old.test'] },
    });
    expect(error.message).toContain(
      'to ns1.old.test, ns2.old.test, but the hosted zone is at ns1.Z1.test, ns2.Z1.test',
    );
    expect(error.message).toContain('`example.com. 3600 IN NS ns1.z1.test.`; `example.com. 3600 IN NS ns2.z1.test.`');
  });

  test('that the parent domain does not delegate at all is refused', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com');
    const error = await failure(check(world, ['www.example.com']));
    expect(error).toBeInstanceOf(ZoneNotDelegatedError);
    expect(error.message).toContain('delegates example.com to no server');
    expect(error).toMatchObject({ fields: { certificate: 'www', servers: [] } });
  });

  test('that is delegated to foreign servers beside its own is a warning that names them', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'NS1.Z1.test.', 'ns2.old.test');
    const { challengeRecords, warnings } = await check(world, ['example.com']);
    expect(challengeRecords).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining('is delegated to ns2.old.test too')]);
  });

  test('whose servers have white-label names is known by their addresses', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns1.example.com', 'ns2.example.com');
    for (const number of [1, 2]) {
      world.dns.address(`ns${number}.Z1.test`, `192.0.2.${number}`);
      world.dns.address(`ns${number}.example.com`, `192.0.2.${number}`);
    }
    expect((await check(world, ['example.com'])).warnings).toEqual([]);
  });

  test('whose delegation cannot be looked up is a warning', async () => {
    const world = worldOf(example);
    world.dns.fail('delegation example.com', 'SERVFAIL from 192.0.2.53');
    expect((await check(world, ['example.com'])).warnings).toEqual([
      'Whether example.com is delegated to hosted zone Z1 could not be found out: SERVFAIL from 192.0.2.53.',
    ]);
  });

  test('whose delegation cannot be looked up is asked about no part of it', async () => {
    const world = worldOf(example);
    world.dns.fail('delegation example.com');
    world.dns.fail('delegation _acme-challenge.example.com');
    expect((await check(world, ['example.com'])).warnings).toHaveLength(1);
  });

  test('that is delegated to very many servers leaves room for the records to set', async () => {
    const world = worldOf(example);
    world.dns.delegate(
      'example.com',
      ...Array.from({ length: 13 }, (_, index) => `ns${index}.${'x'.repeat(200)}.test`),
    );
    const { message } = await failure(check(world, ['example.com']));
    expect(message).toContain('and 7 more');
    expect(message.length).toBeLessThan(2048);
  });

  test('whose servers have no addresses that can be found is a warning, not a refusal', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns1.example.com');
    world.dns.fail('addresses ns1.example.com', 'a timeout');
    expect((await check(world, ['example.com'])).warnings).toEqual([expect.stringContaining('a timeout')]);
  });

  test('is asked for once, however many names are in it, and one after another', async () => {
    const world = worldOf(...all);
    await check(world, ['example.com', 'a.example.com', '*.a.example.com', 'dev.example.com']);
    expect(world.calls.names('hostedZones.')).toEqual(['hostedZones.nameServers', 'hostedZones.nameServers']);
    const asked = world.calls.made.flatMap(({ name, args: [zone] }) => (name === 'dns.delegation' ? [zone] : []));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toEqual(expect.arrayContaining(['example.com', 'dev.example.com']));
  });

  test('that delegates a part with the name in it, which is not configured, is refused with the records to remove', async () => {
    const world = worldOf(example);
    world.dns.delegate('sub.example.com', 'ns.other.test');
    const error = await failure(check(world, ['www.sub.example.com'], { challengeZones: [example] }));
    expect(error).toBeInstanceOf(ZoneNotDelegatedError);
    expect(error).toMatchObject({ fields: { zone: 'Z1', servers: ['ns.other.test'] } });
    expect(error.message).toContain('not see _acme-challenge.www.sub.example.com in hosted zone Z1 of example.com');
    expect(error.message).toContain('remove these records: `sub.example.com. 3600 IN NS ns.other.test.`');
    expect((await check(world, ['www.example.com'], { challengeZones: [example] })).warnings).toEqual([]);
  });

  test('of which it cannot be found out whether it delegates a part is a warning', async () => {
    const world = worldOf(example);
    world.dns.fail('delegation _acme-challenge.example.com');
    expect((await check(world, ['example.com'])).warnings).toEqual([
      'Whether _acme-challenge.example.com is a zone of its own could not be found out: no server answered.',
    ]);
  });

  test('that a CNAME leads into has to be delegated as well', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.example.org', 'x.acme.example.net');
    world.dns.delegate('acme.example.net', 'ns.old.test');
    expect((await failure(check(world, ['example.org']))).message).toContain(
      'acme.example.net. 3600 IN NS ns1.z3.test.',
    );
  });
});

describe('CAA', () => {
  test('that a CNAME leads to is named as such', async () => {
    const world = worldOf(example);
    world.dns.alias('www.example.com', 'cdn.test');
    world.dns.setCaa('cdn.test', '0 issue ";"');
    const error = await failure(check(world, ['www.example.com']));
    expect(error.message).toContain(
      'The CAA set at cdn.test, where a CNAME leads, allows other CAs only, or none: 0 issue ";"',
    );
  });

  test('that allows the issuer passes, and that of the alias is nobody’s business', async () => {
    const world = worldOf(...all);
    world.dns.alias('_acme-challenge.example.org', 'x.acme.example.net');
    world.dns.setCaa('example.org', '0 issue "ca.test"');
    world.dns.setCaa('example.net', '0 issue ";"');
    expect((await check(world, ['example.org'])).warnings).toEqual([]);
  });

  test('that allows others only is refused with identifier, domain, what was found, and the record to add', async () => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 issue "other.test"', '0 iodef "mailto:a@example.com"');
    const error = await failure(check(world, ['*.www.example.com']));
    expect(error).toBeInstanceOf(CaaError);
    const record = 'example.com. 300 IN CAA 0 issue "ca.test"';
    expect(error).toMatchObject({
      fields: { certificate: 'www', identifier: '*.www.example.com', issuer: 'test-ca', record },
      problem: { identifier: '*.www.example.com' },
    });
    expect(error.message).toContain('The CAA set at example.com allows other CAs only, or none: 0 issue "other.test".');
    expect(error.message).toContain(`\`${record}\``);
  });

  test.each([
    ['whose account is not known yet', null, 'after the first order'],
    ['whose directory names none', { ...account, caaIdentities: [] }, 'its directory does not say'],
  ])('and an issuer %s are a warning', async (_, known, why) => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 issue ";"');
    expect((await check(world, ['example.com'], { account: known })).warnings).toEqual([expect.stringContaining(why)]);
  });

  test.each([
    ['2026-01-30T12:00:00.000Z', true],
    ['2026-01-30T11:59:59.999Z', false],
    [null, false],
  ])('is judged by names that were read at %s, 30 days ago at most: %s', async (readAt, refuses) => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 issue "other.test"');
    const checked = check(world, ['example.com'], { account: { ...account, readAt } });
    if (refuses) return expect(checked).rejects.toThrow(CaaError);
    expect(await checked).toMatchObject({
      challengeRecords: [{ identifier: 'example.com' }],
      warnings: [expect.stringMatching(/^The CAA set at example\.com allows other CAs only.*the CA decides/)],
    });
  });

  test('that restricts nobody is no warning', async () => {
    const world = worldOf(example);
    world.dns.setCaa('example.com', '0 iodef "mailto:a@example.com"');
    expect((await check(world, ['example.com'], { account: null })).warnings).toEqual([]);
  });

  test('that cannot be looked up is a warning', async () => {
    const world = worldOf(example);
    world.dns.fail('caa example.com', 'SERVFAIL');
    expect((await check(world, ['example.com'])).warnings).toEqual([
      'The CAA records of example.com could not be looked up: SERVFAIL.',
    ]);
  });
});

describe('several problems', () => {
  test('end in the first by the order of the identifiers, which says how many others there are', async () => {
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

  test('of a first set-up name the records of all: ten identifiers without CNAMEs', async () => {
    const identifiers = Array.from({ length: 10 }, (_, index) => `w${index}.example.org`);
    const error = await failure(check(worldOf(...all), identifiers));
    const [first, ...others] = identifiers.map(
      (name) => `\`_acme-challenge.${name}. 300 IN CNAME _acme-challenge.${name}.acme.example.net.\``,
    );
    expect(error.message).toContain(`this record: ${first}.`);
    expect(error.message).toContain(`9 other problems were found. Create these records too: ${others.join('; ')}.`);
    expect(toLambdaError(error).message.split('\n')[0]).toBe(error.message);
  });

  test('that do not fit into a message are counted, and it is said where they are', async () => {
    const identifiers = Array.from({ length: 100 }, (_, index) => `w${index}.${'x'.repeat(50)}.example.org`);
    const certificate = 'c'.repeat(64);
    const error = await failure(check(worldOf(...all), identifiers, { certificate }));
    const { message } = error;
    expect(message.length).toBeLessThanOrEqual(2048);
    expect(message.length).toBeGreaterThan(1700);
    const shown = message.match(/ IN CNAME /g)?.length ?? 0;
    expect(message).toContain(`The log of the challenge function (output ChallengeLogs) has ${100 - shown} more.`);
  });

  test('of a domain and its parent name both records, though the one ends in the other', async () => {
    const world = worldOf(...all);
    for (const name of ['dev.example.com', 'example.com']) world.dns.setCaa(name, '0 issue ";"');
    const { message } = await failure(check(world, ['dev.example.com', 'example.com']));
    expect(message.match(/`[a-z.]+ 300 IN CAA /g)).toEqual([
      '`dev.example.com. 300 IN CAA ',
      '`example.com. 300 IN CAA ',
    ]);
  });

  test('of names that one record mends are one', async () => {
    const { message } = await failure(check(worldOf(...all), ['*.example.org', 'example.org']));
    expect(message).not.toContain('other problem');
  });

  test('of one zone are one', async () => {
    const world = worldOf(example);
    world.dns.delegate('example.com', 'ns.old.test');
    const error = await failure(check(world, ['a.example.com', 'b.example.com']));
    expect(error.message).not.toContain('other');
  });

  test('of which the first will pass come up as that one', async () => {
    const world = worldOf(...all);
    world.calls.answer('hostedZones.nameServers', throttledError());
    await expect(check(world, ['example.com', 'example.org'])).rejects.toThrow(ThrottledError);
  });
});

test('warnings are cut to what the state can carry, and are in the log whole', async () => {
  const world = worldOf(example);
  const names = Array.from({ length: 100 }, (_, index) => `w${index}.example.com`);
  for (const name of names) world.dns.fail(`caa ${name}`, 'x'.repeat(1000));
  const { warnings } = await check(world, names);
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toBe('90 more warnings are in the log.');
  expect(Math.max(...warnings.map(({ length }) => length))).toBe(300);
  expect(world.log.messages('warn')).toHaveLength(100);
});
