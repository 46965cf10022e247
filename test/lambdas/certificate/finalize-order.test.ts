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
import { atCa, execution, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

interface OrderedWorld extends World {
  readonly order: OrderReference;
}

/** Creates a world with the lease, a registered account and a ready order. */
async function ready(spec = specWith()): Promise<OrderedWorld> {
  const world = createWorld();
  world.ledger.put('www', { lease: execution });
  const privateKey = makePrivateKey();
  const { url } = await world.acme.newAccount(issuer, privateKey);
  world.accounts.put(issuer.directoryUrl, { privateKey, url, version: '1' });
  for (const identifier of spec.identifiers) world.ca.alreadyValid.add(identifier);
  const order = await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
  return { ...world, order };
}

const finalize = ({ ports, order }: OrderedWorld, spec = specWith(), resumed = false) =>
  finalizeOrder({ ...run, spec, order, resumed }, ports);
const resume = (world: OrderedWorld, spec = specWith()) => finalize(world, spec, true);

test('returns the URL of the certificate if the CA issues at once', async () => {
  const world = await ready();
  expect(await finalize(world)).toEqual({
    reached: true,
    status: 'valid',
    wait: 0,
    certificateUrl: 'https://ca.test/order/1/certificate',
  });
});

test('waits for the Retry-After of the CA before the next poll', async () => {
  const world = await ready();
  world.ca.issuance = 'later';
  world.ca.retryAfter = 7;
  expect(await finalize(world)).toEqual({ reached: false, status: 'processing', wait: 7, certificateUrl: null });
});

test('does not wait before the next poll without a Retry-After, because the CA may have signed already', async () => {
  const world = await ready();
  world.ca.issuance = 'later';
  world.ca.retryAfter = null;
  expect(await finalize(world)).toMatchObject({ reached: false, status: 'processing', wait: 0 });
});

test('stages the key for its order before the CSR is sent', async () => {
  const world = await ready();
  let staged: string | null = null;
  world.calls.meanwhile('ca.finalize', async () => {
    staged = await world.secrets.stagedKey('www', world.order.url);
  });
  await finalize(world);
  expect(staged).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  expect(world.ca.finalizedWith.get(world.order.url)).toBe(staged);
});

test('uses a key of the configured type', async () => {
  const spec = specWith({ keyType: 'P-384' });
  const world = await ready(spec);
  await finalize(world, spec);
  const key = createPrivateKey((await world.secrets.stagedKey('www', world.order.url)) ?? '');
  expect(key.asymmetricKeyDetails?.namedCurve).toBe('secp384r1');
});

test('does not change the current version of the secret', async () => {
  const world = await ready();
  world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
  await finalize(world);
  expect(world.secrets.labelled('www', 'AWSCURRENT')).toBe('whole');
});

test('creates a first secret without a certificate', async () => {
  const world = await ready();
  await finalize(world);
  expect(await world.secrets.describe('www')).toMatchObject({ currentVersion: null, owned: true });
});

test('uses the key that an earlier attempt staged for the order', async () => {
  const world = await ready();
  const first = makePrivateKey();
  await world.secrets.create('www');
  await world.secrets.stageKey('www', atCa(world.order.url), first);
  await finalize(world);
  expect(world.ca.finalizedWith.get(world.order.url)).toBe(first);
});

test('sends no CSR if the lease was lost', async () => {
  const world = await ready();
  world.ledger.put('www', { lease: otherExecution });
  await expect(finalize(world)).rejects.toThrow(LeaseLostError);
  expect(world.calls.names('ca.')).toEqual([]);
});

test('throws AccountDoesNotExistError if the account is not registered, and registers none', async () => {
  const world = await ready();
  world.accounts.put(issuer.directoryUrl, { privateKey: makePrivateKey(), url: null, version: '1' });
  await expect(finalize(world)).rejects.toThrow(AccountDoesNotExistError);
});

describe('after a failed request the order is read, and', () => {
  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'The order was finalized already.' })],
    ['orderNotReady', new OrderNotReadyError({ what: 'The order is processing.' })],
  ])('%s is a success if the order has its CSR', async (_, error) => {
    const world = await ready();
    world.calls.loseReply('ca.finalize', error);
    expect(await finalize(world)).toMatchObject({ reached: true, status: 'valid' });
    expect(world.calls.names('ca.')).toEqual(['ca.finalize', 'ca.order']);
  });

  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'No such field.' })],
    ['orderNotReady', new OrderNotReadyError({ what: 'The order is pending.' })],
  ])('%s is thrown if the order has no CSR', async (_, error) => {
    const world = await ready();
    world.calls.answer('ca.finalize', error);
    await expect(finalize(world)).rejects.toBe(error);
  });

  test('an invalid order is an error with the problem of the CA', async () => {
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

describe('a resumed order', () => {
  /** Creates a world with an order that an interrupted execution has finalized. */
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

  test('that is valid is returned without a CSR, a new key or another count', async () => {
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

  test.each(['processing', 'an unknown status'])('with the status "%s" is polled', async (status) => {
    const world = await finalized(status);
    expect(await resume(world)).toMatchObject({ reached: false, status, certificateUrl: null });
    expect(world.calls.names('ca.')).toEqual(['ca.order']);
  });

  test('that is ready is finalized with its staged key', async () => {
    const world = await ready();
    const first = makePrivateKey();
    await world.secrets.create('www');
    await world.secrets.stageKey('www', atCa(world.order.url), first);
    expect(await resume(world)).toMatchObject({ reached: true });
    expect(world.ca.finalizedWith.get(world.order.url)).toBe(first);
  });

  test.each(['valid', 'processing'])(
    'that is %s without a staged key belongs to another certificate',
    async (status) => {
      const world = await finalized(status);
      world.secrets.deleteVersion('www', world.secrets.keyVersion(world.order.url));
      await expect(resume(world)).rejects.toThrow(OrderSharedError);
      expect(world.calls.names('ca.')).toEqual(['ca.order']);
    },
  );

  test('that is valid without a secret belongs to another certificate', async () => {
    const world = await ready();
    Object.assign(world.ca.state(world.order.url), { status: 'valid' });
    await expect(resume(world)).rejects.toThrow(OrderSharedError);
  });

  test('that is invalid is an error and is removed from the issue count', async () => {
    const world = await finalized('invalid');
    await expect(resume(world)).rejects.toThrow(OrderInvalidError);
    expect(await issues(world)).toEqual({});
  });

  test('is returned by a run after an interruption at any call', async () => {
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

describe('an issue', () => {
  test('is counted with the URL of its order before the CSR is sent', async () => {
    const world = await ready();
    let counted: object = {};
    world.calls.meanwhile('ca.finalize', async () => {
      counted = await issues(world);
    });
    await finalize(world);
    expect(counted).toEqual({ [world.order.url]: expect.stringContaining('2026-03-01T12:00:00') });
  });

  test('is counted once if the step runs twice', async () => {
    const world = await ready();
    await finalize(world);
    await finalize(world);
    expect(Object.keys(await issues(world))).toEqual([world.order.url]);
  });

  test('is removed from the count if the order becomes invalid', async () => {
    const world = await ready();
    world.calls.loseReply('ca.finalize');
    world.calls.meanwhile('ca.order', () => Object.assign(world.ca.state(world.order.url), { status: 'invalid' }));
    await expect(finalize(world)).rejects.toThrow(OrderInvalidError);
    expect(await issues(world)).toEqual({});
  });

  test('stays counted if it is unknown whether the CSR has arrived', async () => {
    const world = await ready();
    world.calls.answer('ca.finalize', new CaUnavailableError({ what: 'The connection was cut.' }));
    world.calls.answer('ca.order', new CaUnavailableError({ what: 'The CA is unavailable.' }));
    await expect(finalize(world)).rejects.toThrow(CaUnavailableError);
    expect(Object.keys(await issues(world))).toEqual([world.order.url]);
  });

  test('at a staging directory is not counted', async () => {
    const spec = specWith({ issuer: { ...issuer, staging: true } });
    const world = await ready(spec);
    await finalize(world, spec);
    expect(await issues(world, spec)).toEqual({});
  });

  test('is not counted if the lease was lost', async () => {
    const world = await ready();
    world.ledger.put('www', { lease: otherExecution });
    await expect(finalize(world)).rejects.toThrow(LeaseLostError);
    expect(await issues(world)).toEqual({});
  });
});

describe('a reused key', () => {
  const pinned = specWith({ reuseKey: true });
  const holding = async (keyType: KeyType = 'P-256') => {
    const world = await ready(pinned);
    const value = await secretValue({ identifiers: pinned.identifiers, keyType });
    world.secrets.put('www', { current: { versionId: 'version-1', value } });
    return { world, key: value.privateKey };
  };

  test('that is compromised is not used', async () => {
    const { world, key } = await holding();
    await world.secrets.markCompromised('www', 'version-1');
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).not.toBe(key);
  });

  test('is not used if the current version is an older one with a compromised key', async () => {
    const { world, key } = await holding();
    const { value } = await world.secrets.readCurrent('www');
    const older = await world.secrets.putCertificate('www', 'https://ca.test/order/0', value);
    await world.secrets.markCompromised('www', 'version-1');
    world.secrets.restore('www', older);
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).not.toBe(key);
  });

  test('that becomes compromised before it is staged is not staged', async () => {
    const { world } = await holding();
    world.calls.meanwhile('secrets.stageKey', () => world.secrets.markCompromised('www', 'version-1'));
    await expect(finalize(world, pinned)).rejects.toThrow(CompromisedKeyError);
    expect(world.ca.finalizedWith.size).toBe(0);
  });

  test('that is compromised after it was staged for a ready order is replaced by a new key', async () => {
    const { world, key } = await holding();
    await world.secrets.stageKey('www', atCa(world.order.url), key);
    await world.secrets.markCompromised('www', 'version-1');
    await resume(world, pinned);
    const used = world.ca.finalizedWith.get(world.order.url);
    expect(used).not.toBe(key);
    expect(await world.secrets.stagedKey('www', world.order.url)).toBe(used);
  });

  test('that is compromised after the CSR was sent is an error, and the issued certificate is revoked', async () => {
    const { world } = await holding();
    await finalize(world, pinned);
    await world.secrets.markCompromised('www', 'version-1');
    await expect(resume(world, pinned)).rejects.toThrow(CompromisedKeyError);
    expect(world.acme.revocations).toEqual([expect.objectContaining({ reason: 1, by: 'account' })]);
  });

  test('that is compromised while the CA issues is no error, because the certificate is revoked when it is issued', async () => {
    const { world } = await holding();
    world.ca.issuance = 'later';
    await finalize(world, pinned);
    await world.secrets.markCompromised('www', 'version-1');
    expect(await resume(world, pinned)).toMatchObject({ reached: false, status: 'processing' });
    expect(world.acme.revocations).toEqual([]);
  });

  test('is the key of the current certificate and is staged for the order', async () => {
    const { world, key } = await holding();
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).toBe(key);
    expect(await world.secrets.stagedKey('www', world.order.url)).toBe(key);
  });

  test('of another type than the configured one is replaced by a new key', async () => {
    const { world, key } = await holding('P-384');
    await finalize(world, pinned);
    const used = world.ca.finalizedWith.get(world.order.url) ?? '';
    expect(used).not.toBe(key);
    expect(createPrivateKey(used).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('is created for the first certificate', async () => {
    const world = await ready(pinned);
    await finalize(world, pinned);
    expect(world.ca.finalizedWith.get(world.order.url)).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test('that cannot be read is an error, and no CSR is sent', async () => {
    const world = await ready(pinned);
    world.secrets.put('www', { current: { versionId: 'version-1', value: 'another format' } });
    await expect(finalize(world, pinned)).rejects.toThrow(UnreadableSecretError);
    expect(world.calls.names('ca.')).toEqual([]);
  });

  test('is not used without `reuseKey`', async () => {
    const { world, key } = await holding();
    await finalize(world);
    expect(world.ca.finalizedWith.get(world.order.url)).not.toBe(key);
  });
});

test('throws a refusal of the CSR without reading the order', async () => {
  const world = await ready();
  world.calls.answer('ca.finalize', new BadCsrError({ what: 'The key is weak.' }));
  await expect(finalize(world)).rejects.toThrow(BadCsrError);
  expect(world.calls.names('ca.')).toEqual(['ca.finalize']);
});

test('returns the same certificate with the same key in a second run', async () => {
  const world = await ready();
  const first = await finalize(world);
  const key = world.ca.finalizedWith.get(world.order.url);
  expect(await finalize(world)).toEqual(first);
  expect(world.ca.finalizedWith.get(world.order.url)).toBe(key);
});

test('has the key of the certificate in the secret in a run after an interruption at any call', async () => {
  await interruptedAfterEachCall(ready, finalize, async (world, output, last) => {
    expect(output.certificateUrl, last).toBe('https://ca.test/order/1/certificate');
    const staged = await world.secrets.stagedKey('www', world.order.url);
    expect(world.ca.finalizedWith.get(world.order.url), last).toBe(staged);
  });
});
