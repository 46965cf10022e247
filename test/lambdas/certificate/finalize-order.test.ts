import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { finalizeOrder } from '../../../lambdas/certificate/finalize-order.ts';
import type { OrderReference } from '../../../lambdas/domain/contract/certificate-facts.ts';
import type { KeyType } from '../../../lambdas/domain/contract/config.ts';
import {
  AccountDoesNotExistError,
  BadCsrError,
  CaUnavailableError,
  CompromisedKeyError,
  LeaseLostError,
  MalformedError,
  OrderInvalidError,
  OrderNotReadyError,
  OrderSharedError,
  UnreadableSecretError,
} from '../../../lambdas/domain/contract/errors.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { makePrivateKey } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

interface OrderedWorld extends World {
  readonly order: OrderReference;
}

/** The lease taken, an account made, and an order whose names are proven. */
async function ready(spec = specWith()): Promise<OrderedWorld> {
  const world = createWorld();
  world.ledger.put('www', { lease: execution });
  const privateKey = makePrivateKey();
  const url = await world.acme.newAccount(issuer, privateKey);
  world.accounts.put(issuer.directoryUrl, { privateKey, url, version: '1' });
  for (const identifier of spec.identifiers) world.ca.alreadyValid.add(identifier);
  const order = await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
  return { ...world, order };
}

const finalize = ({ ports, order }: OrderedWorld, spec = specWith(), resumed = false) =>
  finalizeOrder({ ...run, spec, order, resumed }, ports);
const resume = (world: OrderedWorld, spec = specWith()) => finalize(world, spec, true);

test('the CSR leaves, and the certificate can be downloaded at once where the CA is quick', async () => {
  const world = await ready();
  expect(await finalize(world)).toEqual({
    reached: true,
    status: 'valid',
    wait: 0,
    certificateUrl: 'https://ca.test/order/1/certificate',
  });
});

test('a CA that takes its time is asked again when it says so', async () => {
  const world = await ready();
  world.ca.issuance = 'later';
  world.ca.retryAfter = 7;
  expect(await finalize(world)).toEqual({ reached: false, status: 'processing', wait: 7, certificateUrl: null });
});

test('a CA that names no time is looked at again at once, since it may have signed already', async () => {
  const world = await ready();
  world.ca.issuance = 'later';
  world.ca.retryAfter = null;
  expect(await finalize(world)).toMatchObject({ reached: false, status: 'processing', wait: 0 });
});

test('the key that the CA certifies is in the secret, under its order, before the CSR leaves', async () => {
  const world = await ready();
  let staged: string | null = null;
  world.calls.meanwhile('ca.finalize', async () => {
    staged = await world.secrets.stagedKey('www', world.order.url);
  });
  await finalize(world);
  expect(staged).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  expect(world.ca.finalizedWith.get(world.order.url)).toBe(staged);
});

test('the key is of the type that was asked for', async () => {
  const spec = specWith({ keyType: 'P-384' });
  const world = await ready(spec);
  await finalize(world, spec);
  const key = createPrivateKey((await world.secrets.stagedKey('www', world.order.url)) ?? '');
  expect(key.asymmetricKeyDetails?.namedCurve).toBe('secp384r1');
});

test('readers of a secret that has a certificate notice nothing', async () => {
  const world = await ready();
  world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
  await finalize(world);
  expect(world.secrets.labelled('www', 'AWSCURRENT')).toBe('whole');
});

test('a first secret has no certificate yet', async () => {
  const world = await ready();
  await finalize(world);
  expect(await world.secrets.describe('www')).toMatchObject({ currentVersion: null, ours: true });
});

test('a key staged for this order by an earlier try is the one that is used', async () => {
  const world = await ready();
  const first = makePrivateKey();
  await world.secrets.create('www');
  await world.secrets.stageKey('www', world.order.url, first);
  await finalize(world);
  expect(world.ca.finalizedWith.get(world.order.url)).toBe(first);
});

test('an execution that lost its lease sends no CSR', async () => {
  const world = await ready();
  world.ledger.put('www', { lease: otherExecution });
  await expect(finalize(world)).rejects.toThrow(LeaseLostError);
  expect(world.calls.names('ca.')).toEqual([]);
});

test('an account that is gone is named, and none is made in its place', async () => {
  const world = await ready();
  world.accounts.put(issuer.directoryUrl, { privateKey: makePrivateKey(), url: null, version: '1' });
  await expect(finalize(world)).rejects.toThrow(AccountDoesNotExistError);
});

describe('a lost reply is read', () => {
  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'The order was finalized already.' })],
    ['orderNotReady', new OrderNotReadyError({ what: 'The order is processing.' })],
  ])('%s after the order went on is success', async (_, error) => {
    const world = await ready();
    world.calls.loseReply('ca.finalize', error);
    expect(await finalize(world)).toMatchObject({ reached: true, status: 'valid' });
    expect(world.calls.names('ca.')).toEqual(['ca.finalize', 'ca.order']);
  });

  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'No such field.' })],
    ['orderNotReady', new OrderNotReadyError({ what: 'The order is pending.' })],
  ])('%s with an order that did not move is that error', async (_, error) => {
    const world = await ready();
    world.calls.answer('ca.finalize', error);
    await expect(finalize(world)).rejects.toBe(error);
  });

  test('and says so when the order became invalid', async () => {
    const world = await ready();
    world.calls.loseReply('ca.finalize');
    world.calls.meanwhile('ca.order', () => {
      Object.assign(world.ca.state(world.order.url), {
        status: 'invalid',
        error: { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it' },
      });
    });
    const failure = await finalize(world).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OrderInvalidError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('CAA forbids it'),
      problem: { type: 'urn:ietf:params:acme:error:caa' },
    });
  });
});

describe('an order of an earlier run', () => {
  /** Finalized by a run that died before it could store. */
  async function finalized(status: string): Promise<OrderedWorld> {
    const world = await ready();
    await finalize(world);
    Object.assign(world.ca.state(world.order.url), { status });
    world.ledger.put('www', {
      order: { ...world.order, execution, specHash: '', directoryUrl: issuer.directoryUrl },
    });
    world.calls.made.length = 0;
    return world;
  }

  test('that is valid is downloaded: no CSR leaves, no key is made, nothing is counted', async () => {
    const world = await finalized('valid');
    const key = await world.secrets.stagedKey('www', world.order.url);
    expect(await resume(world)).toEqual({
      reached: true,
      status: 'valid',
      wait: 0,
      certificateUrl: `${world.order.url}/certificate`,
    });
    expect(world.calls.names('ca.')).toEqual(['ca.order']);
    expect(world.calls.names('ledger.')).toEqual([]);
    expect(await world.secrets.stagedKey('www', world.order.url)).toBe(key);
  });

  test.each(['processing', 'a status of next year'])('that is %s is waited for', async (status) => {
    const world = await finalized(status);
    expect(await resume(world)).toMatchObject({ reached: false, status, certificateUrl: null });
    expect(world.calls.names('ca.')).toEqual(['ca.order']);
  });

  test('that is ready is finalized with the key that was staged for it', async () => {
    const world = await ready();
    const first = makePrivateKey();
    await world.secrets.create('www');
    await world.secrets.stageKey('www', world.order.url, first);
    expect(await resume(world)).toMatchObject({ reached: true });
    expect(world.ca.finalizedWith.get(world.order.url)).toBe(first);
  });

  test.each(['valid', 'processing'])('that is %s without a key of ours is a twin’s', async (status) => {
    const world = await finalized(status);
    world.secrets.deleteVersion('www', world.secrets.keyVersion(world.order.url));
    await expect(resume(world)).rejects.toThrow(OrderSharedError);
    expect(world.calls.names('ca.')).toEqual(['ca.order']);
  });

  test('that is valid where there is no secret at all is a twin’s', async () => {
    const world = await ready();
    Object.assign(world.ca.state(world.order.url), { status: 'valid' });
    await expect(resume(world)).rejects.toThrow(OrderSharedError);
  });

  test('that is invalid says why, and is taken off the issue cap', async () => {
    const world = await finalized('invalid');
    await expect(resume(world)).rejects.toThrow(OrderInvalidError);
    expect(await issues(world)).toEqual({});
  });

  test('may see the function die after any call', async () => {
    await interruptedAfterEachCall(
      () => finalized('valid'),
      (world) => resume(world),
      (world, output, last) => {
        expect(output.certificateUrl, last).toBe(`${world.order.url}/certificate`);
        expect(world.calls.names('ca.'), last).not.toContain('ca.finalize');
      },
    );
  });
});

const issues = (world: World, spec = specWith()) => world.ledger.issues(spec.setHash, world.clock.now());

describe('the issue', () => {
  test('is counted by its order before the CSR leaves', async () => {
    const world = await ready();
    let counted: object = {};
    world.calls.meanwhile('ca.finalize', async () => {
      counted = await issues(world);
    });
    await finalize(world);
    expect(counted).toEqual({ [world.order.url]: expect.stringContaining('2026-03-01T12:00:00') });
  });

  test('is counted once however often the step runs', async () => {
    const world = await ready();
    await finalize(world);
    await finalize(world);
    expect(Object.keys(await issues(world))).toEqual([world.order.url]);
  });

  test('is taken off again when the order is invalid', async () => {
    const world = await ready();
    world.calls.loseReply('ca.finalize');
    world.calls.meanwhile('ca.order', () => Object.assign(world.ca.state(world.order.url), { status: 'invalid' }));
    await expect(finalize(world)).rejects.toThrow(OrderInvalidError);
    expect(await issues(world)).toEqual({});
  });

  test('stays counted when nobody knows whether the CSR arrived', async () => {
    const world = await ready();
    world.calls.answer('ca.finalize', new CaUnavailableError({ what: 'The connection was cut.' }));
    world.calls.answer('ca.order', new CaUnavailableError({ what: 'The CA is away.' }));
    await expect(finalize(world)).rejects.toThrow(CaUnavailableError);
    expect(Object.keys(await issues(world))).toEqual([world.order.url]);
  });

  test('of a staging directory does not count', async () => {
    const spec = specWith({ issuer: { ...issuer, staging: true } });
    const world = await ready(spec);
    await finalize(world, spec);
    expect(await issues(world, spec)).toEqual({});
  });

  test('of an execution that lost its lease does not count', async () => {
    const world = await ready();
    world.ledger.put('www', { lease: otherExecution });
    await expect(finalize(world)).rejects.toThrow(LeaseLostError);
    expect(await issues(world)).toEqual({});
  });
});

describe('a pinned key', () => {
  const pinned = specWith({ reuseKey: true });
  const holding = async (keyType: KeyType = 'P-256') => {
    const world = await ready(pinned);
    const value = await secretValue({ identifiers: pinned.identifiers, keyType });
    world.secrets.put('www', { current: { versionId: 'version-1', value } });
    return { world, key: value.privateKey };
  };

  test('that was compromised is not kept', async () => {
    const { world, key } = await holding();
    await world.secrets.markCompromised('www', 'version-1');
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).not.toBe(key);
  });

  test('that was compromised after it was staged for a saved order that is ready gets no certificate: a new one does', async () => {
    const { world, key } = await holding();
    await world.secrets.stageKey('www', world.order.url, key);
    await world.secrets.markCompromised('www', 'version-1');
    await resume(world, pinned);
    const used = world.ca.finalizedWith.get(world.order.url);
    expect(used).not.toBe(key);
    expect(await world.secrets.stagedKey('www', world.order.url)).toBe(used);
  });

  test('that was compromised after the CSR left is waited for no longer', async () => {
    const { world } = await holding();
    await finalize(world, pinned);
    await world.secrets.markCompromised('www', 'version-1');
    await expect(resume(world, pinned)).rejects.toThrow(CompromisedKeyError);
  });

  test('is the current certificate’s, staged for the order like any other', async () => {
    const { world, key } = await holding();
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).toBe(key);
    expect(await world.secrets.stagedKey('www', world.order.url)).toBe(key);
  });

  test('of another type than is asked for makes place for a new one', async () => {
    const { world, key } = await holding('P-384');
    await finalize(world, pinned);
    const used = world.ca.finalizedWith.get(world.order.url) ?? '';
    expect(used).not.toBe(key);
    expect(createPrivateKey(used).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('is made new for a first certificate', async () => {
    const world = await ready(pinned);
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test('that cannot be read is not replaced by another without a word', async () => {
    const world = await ready(pinned);
    world.secrets.put('www', { current: { versionId: 'version-1', value: 'not ours' } });
    await expect(finalize(world, pinned)).rejects.toThrow(UnreadableSecretError);
    expect(world.calls.names('ca.')).toEqual([]);
  });

  test('stays out of a certificate that pins none', async () => {
    const { world, key } = await holding();
    await finalize(world);
    expect(world.ca.finalizedWith.get(world.order.url)).not.toBe(key);
  });
});

test('what the CA refuses outright is not asked again', async () => {
  const world = await ready();
  world.calls.answer('ca.finalize', new BadCsrError({ what: 'The key is weak.' }));
  await expect(finalize(world)).rejects.toThrow(BadCsrError);
  expect(world.calls.names('ca.')).toEqual(['ca.finalize']);
});

test('run twice, both name one certificate, made for one key', async () => {
  const world = await ready();
  const first = await finalize(world);
  const key = world.ca.finalizedWith.get(world.order.url);
  expect(await finalize(world)).toEqual(first);
  expect(world.ca.finalizedWith.get(world.order.url)).toBe(key);
});

test('it may die after any call: the certificate never belongs to a key that is lost', async () => {
  await interruptedAfterEachCall(ready, finalize, async (world, output, last) => {
    expect(output.certificateUrl, last).toBe('https://ca.test/order/1/certificate');
    const staged = await world.secrets.stagedKey('www', world.order.url);
    expect(world.ca.finalizedWith.get(world.order.url), last).toBe(staged);
  });
});
