import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import {
  AcmeProblemError,
  AlreadyReplacedError,
  CaBusyError,
  CaUnavailableError,
  LeaseLostError,
  MalformedError,
  NoDnsChallengeError,
  OrderInvalidError,
  RateLimitedError,
  TermsNotAgreedError,
  UnauthorizedError,
} from '../../../lambdas/domain/contract/errors.ts';
import { newOrder } from '../../../lambdas/order/new-order.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const spec = specWith({ identifiers: ['*.example.com', 'example.com'] });
const place = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com' };
const challengeRecords = spec.identifiers.map((identifier) => ({ identifier, ...place }));

function leased(): World {
  const world = createWorld();
  world.ledger.put('www', { lease: execution });
  return world;
}

const order = ({ ports }: World, ordered: CertificateSpec = spec, replaces: string | null = null) =>
  newOrder({ ...run, spec: ordered, challengeRecords, replaces }, ports);

describe('a new order', () => {
  test('has a dns-01 challenge and a TXT value for each identifier', async () => {
    const output = await order(leased());
    expect(output.order.url).toBe('https://ca.test/order/1');
    expect(output.challenges.map(({ identifier, url }) => [identifier, url])).toEqual([
      ['*.example.com', 'https://ca.test/order/1/authorization/1/dns-01'],
      ['example.com', 'https://ca.test/order/1/authorization/2/dns-01'],
    ]);
    expect(output.records).toHaveLength(2);
    for (const record of output.records) expect(record).toEqual({ ...place, value: expect.stringMatching(/^.{43}$/) });
  });

  test('is saved in the ledger with its TXT values', async () => {
    const world = leased();
    const { order: reference, records } = await order(world);
    expect(world.ledger.get('www')).toMatchObject({
      order: { ...reference, execution, specHash: spec.specHash, directoryUrl: issuer.directoryUrl },
      leftovers: records,
    });
  });

  test('has the role of the zone in each TXT value', async () => {
    const world = leased();
    const role = { arn: 'arn:aws:iam::111122223333:role/challenges', externalId: 'the-shop-0815' };
    const [wildcard, apex] = challengeRecords.map((record, index) => (index === 0 ? { ...record, role } : record));
    const places = [wildcard, apex].filter((record) => record !== undefined);
    const { records } = await newOrder({ ...run, spec, challengeRecords: places, replaces: null }, world.ports);
    expect(records.map((record) => record.role)).toEqual([role, undefined]);
  });

  test('adds its TXT values to the leftover ones of an earlier execution', async () => {
    const world = leased();
    const left = { ...place, value: 'left' };
    world.ledger.put('www', { leftovers: [left] });
    const { records } = await order(world);
    expect(world.ledger.get('www').leftovers).toEqual([left, ...records]);
  });

  test('has the configured profile', async () => {
    const world = leased();
    await order(world, specWith({ profile: 'shortlived' }));
    expect(world.ca.state('https://ca.test/order/1')).toMatchObject({
      identifiers: ['example.com'],
      profile: 'shortlived',
    });
  });

  test.each([
    ['its default profile from a fallback that does not offer the configured one', ['standard'], null, 1],
    ['the configured profile from a fallback that offers it', ['standard', 'shortlived'], 'shortlived', 0],
  ])('has %s', async (_, offered, profile, warnings) => {
    const world = leased();
    world.ca.offeredProfiles = offered;
    const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
    await order(world, specWith({ profile: 'shortlived', issuer: fallback, issuers: [issuer, fallback] }));
    expect(world.ca.state('https://ca.test/order/1')).toMatchObject({ profile });
    expect(
      world.log.messages('warn').filter((message) => /fallback-ca.*profile shortlived/.test(message)),
    ).toHaveLength(warnings);
  });

  test('that is ready has no challenge, and its authorizations are not read', async () => {
    const world = leased();
    world.ca.alreadyValid.add('example.com').add('*.example.com');
    expect(await order(world)).toMatchObject({ challenges: [], records: [] });
    expect(world.calls.names('ca.a')).toEqual(['ca.account']);
  });

  test('has no challenge for an identifier with a valid authorization', async () => {
    const world = leased();
    world.ca.alreadyValid.add('example.com');
    const { challenges, records } = await order(world);
    expect(challenges.map(({ identifier }) => identifier)).toEqual(['*.example.com']);
    expect(records).toHaveLength(1);
  });

  test('has one TXT value and two challenges if the CA uses the same value for a name and its wildcard', async () => {
    const world = leased();
    world.ca.tokenOf = (url) => url;
    const { challenges, records } = await order(world);
    expect([challenges.length, records.length]).toEqual([2, 1]);
  });

  test('uses dns-01 if the CA also offers dns-persist-01, dns-account-01 and unknown challenge types', async () => {
    const world = leased();
    world.ca.challengeTypes = [
      { type: 'dns-persist-01', token: false },
      { type: 'dns-account-01', token: true },
      { type: 'dns-future-99', token: false },
      { type: 'dns-01', token: true },
      { type: 'tls-alpn-01', token: true },
    ];
    const { challenges } = await order(world);
    expect(challenges.map(({ url }) => url.split('/').at(-1))).toEqual(['dns-01', 'dns-01']);
  });

  test.each([
    ['no dns-01 challenge', [{ type: 'http-01', token: true }]],
    [
      'the challenges dns-persist-01 and dns-account-01 only',
      [
        { type: 'dns-persist-01', token: false },
        { type: 'dns-account-01', token: true },
      ],
    ],
    ['a dns-01 challenge without a token', [{ type: 'dns-01', token: false }]],
    ['no challenge', []],
  ])('with %s fails with the name of the identifier and is not saved', async (_, types) => {
    const world = leased();
    world.ca.challengeTypes = types;
    await expect(order(world)).rejects.toThrow(NoDnsChallengeError);
    await expect(order(world)).rejects.toThrow('*.example.com');
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('at an issuer without challenges that has not validated a name fails with what to configure', async () => {
    const world = leased();
    const without = specWith({ identifiers: ['example.com'], issuer: { ...spec.issuer, challenges: [] } });
    const input = { ...run, spec: without, challengeRecords: [], replaces: null };
    await expect(newOrder(input, world.ports)).rejects.toThrow(
      "test-ca has not validated example.com beforehand, and challenges of this issuer is []. The authorization is pending and offers http-01 (pending), dns-01 (pending). Let the CA validate the name, or set challenges of the issuer to ['dns-01'].",
    );
  });

  test('that is invalid at once is an error with the problem of the CA', async () => {
    const world = leased();
    const problem = { type: 'urn:ietf:params:acme:error:rejectedIdentifier', detail: 'Not this name' };
    world.ca.invalidFromTheStart = problem;
    const failure = await order(world).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OrderInvalidError);
    expect(failure).toMatchObject({ problem, message: expect.stringContaining('Not this name') });
  });
});

describe('the lease', () => {
  test('is checked before the first request to the CA', async () => {
    const world = leased();
    world.ledger.put('www', { lease: otherExecution });
    await expect(order(world)).rejects.toThrow(LeaseLostError);
    expect(world.calls.names()).toEqual(['ledger.assertLease']);
  });

  test('is required to save the order', async () => {
    const world = leased();
    world.calls.meanwhile('ca.newOrder', () => world.ledger.put('www', { lease: otherExecution }));
    await expect(order(world)).rejects.toThrow(LeaseLostError);
    expect(world.ledger.get('www')).toMatchObject({ lease: otherExecution, order: null, leftovers: [] });
  });
});

describe('the account', () => {
  test('is registered on first use and then kept', async () => {
    const world = leased();
    await order(world);
    expect(world.accounts.get(issuer.directoryUrl)?.url).toBe('https://ca.test/account/1');
    await order(world);
    expect(world.calls.names('acme.')).toEqual(['acme.newAccount']);
  });

  test('is registered once if two executions start at the same time', async () => {
    const world = leased();
    world.ledger.put('api', { lease: otherExecution });
    const api = { certificate: 'api', execution: otherExecution, attempt: 1, spec, challengeRecords, replaces: null };
    await Promise.all([order(world), newOrder(api, world.ports)]);
    expect(world.acme.accounts()).toEqual(['https://ca.test/account/1']);
    expect(world.calls.names('accounts.create')).toHaveLength(2);
  });

  test('is saved with the CAA identities of the CA', async () => {
    const world = leased();
    world.ca.caaIdentities = ['ca.test', 'other.test'];
    await order(world);
    expect(await world.ledger.account(issuer.directoryUrl)).toEqual({
      url: 'https://ca.test/account/1',
      caaIdentities: ['ca.test', 'other.test'],
      readAt: world.clock.now().toISOString(),
    });
  });

  test('that cannot be saved is logged, and the order continues', async () => {
    const world = leased();
    world.calls.answer('ledger.recordAccount', throttledError());
    const output = await order(world);
    expect(world.ledger.get('www').order?.url).toBe(output.order.url);
    expect(world.log.messages('warn')).toEqual([expect.stringMatching(/^The account was not saved/)]);
  });

  test('that was registered again during the order is saved', async () => {
    const world = leased();
    await order(world);
    world.acme.forgetAccounts();
    await order(world);
    expect((await world.ledger.account(issuer.directoryUrl))?.url).toBe('https://ca.test/account/2');
  });

  test('is not registered without agreement to the terms', async () => {
    const world = leased();
    const disagreed = specWith({ issuer: { ...issuer, termsOfServiceAgreed: false } });
    await expect(order(world, disagreed)).rejects.toThrow(TermsNotAgreedError);
    expect(world.acme.accounts()).toEqual([]);
  });
});

test.each([
  new RateLimitedError({ what: 'Too many orders.' }),
  new CaUnavailableError({ what: 'The CA is unavailable.' }),
])('an error of the CA is thrown unchanged: %s', async (error) => {
  const world = leased();
  world.calls.answer('ca.newOrder', error);
  await expect(order(world)).rejects.toBe(error);
  expect(world.ledger.get('www').order).toBeNull();
});

describe('the certificate that an order replaces', () => {
  const requested = (world: World) =>
    world.calls.made.flatMap(({ name, args: [request] }) => (name === 'ca.newOrder' ? [request] : []));
  const asked = { identifiers: spec.identifiers, profile: null };
  const broken = { type: 'urn:ietf:params:acme:error:serverInternal', status: 500 };
  const conflict = { type: 'urn:ietf:params:acme:error:conflict', status: 409 };

  test('is sent to the CA', async () => {
    const world = leased();
    await order(world, spec, 'aki.serial');
    expect(requested(world)).toEqual([{ ...asked, replaces: 'aki.serial' }]);
  });

  test('is not sent if there is none', async () => {
    const world = leased();
    await order(world);
    expect(requested(world)).toEqual([asked]);
  });

  test.each([
    ['replaced already by an unknown order', new AlreadyReplacedError({ what: 'It is replaced.' })],
    [
      'replaced already, which the CA reports as `conflict`',
      new AcmeProblemError({ what: 'Conflict.', problem: conflict }),
    ],
    ['ordered by another account', new UnauthorizedError({ what: 'The requester did not request that certificate.' })],
    ['unknown to the CA', new MalformedError({ what: 'No such certificate.' })],
    [
      'the cause of an internal error of the CA',
      new CaUnavailableError({ what: 'Could not find an order.', problem: broken }),
    ],
  ])('is not sent again if it is %s', async (_, error) => {
    const world = leased();
    world.calls.answer('ca.newOrder', error);
    const output = await order(world, spec, 'aki.serial');
    expect(requested(world)).toEqual([{ ...asked, replaces: 'aki.serial' }, asked]);
    expect(world.ledger.get('www').order?.url).toBe(output.order.url);
  });

  test('is left out once, and a second refusal is thrown', async () => {
    const world = leased();
    const refused = new UnauthorizedError({ what: 'The account is deactivated.' });
    world.calls.answer('ca.newOrder', new UnauthorizedError({ what: 'No.' }));
    world.calls.answer('ca.newOrder', refused);
    await expect(order(world, spec, 'aki.serial')).rejects.toBe(refused);
    expect(requested(world)).toHaveLength(2);
  });

  test.each([
    new UnauthorizedError({ what: 'No.' }),
    new MalformedError({ what: 'No.' }),
    new AlreadyReplacedError({ what: 'No.' }),
  ])('is not the reason of a refusal if none was sent, so no second order is placed: %s', async (error) => {
    const world = leased();
    world.calls.answer('ca.newOrder', error);
    await expect(order(world)).rejects.toBe(error);
    expect(requested(world)).toHaveLength(1);
  });

  test.each([
    new CaUnavailableError({ what: 'Unavailable.' }),
    new CaBusyError({ what: 'Busy.', problem: { ...broken, retryAfter: 30 } }),
  ])('leads to no second order if the CA cannot answer: %s', async (error) => {
    const world = leased();
    world.calls.answer('ca.newOrder', error);
    await expect(order(world, spec, 'aki.serial')).rejects.toBe(error);
    expect(requested(world)).toHaveLength(1);
  });

  test('is refused and the function is interrupted at any call, and the next run returns the saved order', async () => {
    const refusing = () => {
      const world = leased();
      world.calls.answer('ca.newOrder', new AlreadyReplacedError({ what: 'It is replaced.' }));
      return world;
    };
    await interruptedAfterEachCall(
      refusing,
      (world) => order(world, spec, 'aki.serial'),
      (world, output, last) => {
        expect(world.ledger.get('www').order?.url, last).toBe(output.order.url);
        expect(world.ledger.get('www').leftovers, last).toEqual(expect.arrayContaining([...output.records]));
      },
    );
  });
});

describe('the order that an interrupted run of the step has saved', () => {
  async function saved(fields: { readonly specHash?: string; readonly directoryUrl?: string } = {}) {
    const world = leased();
    const savedOutput = await order(world, spec, 'aki.serial');
    const record = world.ledger.get('www').order;
    if (record) world.ledger.put('www', { order: { ...record, ...fields } });
    world.calls.made.length = 0;
    return { world, savedOutput };
  }

  test('is continued, and no other order is placed', async () => {
    const { world, savedOutput } = await saved();
    expect(await order(world, spec, 'aki.serial')).toEqual(savedOutput);
    expect(world.ca.orderUrls()).toEqual([savedOutput.order.url]);
    expect(world.calls.names('ca.newOrder')).toEqual([]);
  });

  test('is continued if its authorizations could not be read three times', async () => {
    const world = leased();
    for (const _ of [1, 2, 3]) {
      world.calls.answer('ca.authorization', new CaUnavailableError({ what: 'Unavailable.' }));
      await expect(order(world)).rejects.toThrow(CaUnavailableError);
      expect(world.ledger.get('www')).toMatchObject({ order: { url: 'https://ca.test/order/1' }, leftovers: [] });
    }
    const { order: reference, records } = await order(world);
    expect(world.ca.orderUrls()).toEqual([reference.url]);
    expect(world.ledger.get('www').leftovers).toEqual(records);
  });

  test('has no challenge if control is proven', async () => {
    const { world, savedOutput } = await saved();
    world.ca.state(savedOutput.order.url).status = 'processing';
    expect(await order(world, spec, 'aki.serial')).toEqual({
      ...savedOutput,
      pending: false,
      challenges: [],
      records: [],
    });
  });

  test('is not used if it is invalid', async () => {
    const { world, savedOutput } = await saved();
    world.ca.state(savedOutput.order.url).status = 'invalid';
    expect((await order(world, spec, 'aki.serial')).order.url).not.toBe(savedOutput.order.url);
  });

  test('is not used if the CA no longer knows it', async () => {
    const { world, savedOutput } = await saved();
    world.calls.answer('ca.order', new MalformedError({ what: 'No order for that id.' }));
    expect((await order(world, spec, 'aki.serial')).order.url).not.toBe(savedOutput.order.url);
  });

  test.each([{ specHash: 'of another configuration' }, { directoryUrl: 'https://other.test/directory' }])(
    'is not used if it has another configuration or issuer: %j',
    async (fields) => {
      const { world, savedOutput } = await saved(fields);
      expect((await order(world, spec, 'aki.serial')).order.url).not.toBe(savedOutput.order.url);
    },
  );

  test('is removed from the ledger if its authorizations cannot be used, so that the next attempt places a new one', async () => {
    const world = leased();
    const without = specWith({ identifiers: ['example.com'], issuer: { ...spec.issuer, challenges: [] } });
    const input = { ...run, spec: without, challengeRecords: [], replaces: null };
    await expect(newOrder(input, world.ports)).rejects.toThrow(NoDnsChallengeError);
    expect(world.ledger.get('www').order).toBeNull();
  });
});

test('a run after an interruption at any call leaves one account and saves the order with all its TXT values', async () => {
  await interruptedAfterEachCall(leased, order, (world, output, last) => {
    expect(world.acme.accounts(), last).toEqual(['https://ca.test/account/1']);
    expect(world.accounts.get(issuer.directoryUrl)?.url, last).toBe('https://ca.test/account/1');
    expect(world.ledger.get('www').order?.url, last).toBe(output.order.url);
    expect(world.ledger.get('www').leftovers, last).toEqual(expect.arrayContaining([...output.records]));
  });
});
