import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { finalizeOrder } from '../../../lambdas/certificate/finalize-order.ts';
import type { OrderReference } from '../../../lambdas/rules/contract.ts';
import {
  AccountDoesNotExistError,
  BadCsrError,
  CaUnavailableError,
  LeaseLostError,
  MalformedError,
  OrderInvalidError,
  OrderNotReadyError,
} from '../../../lambdas/rules/errors.ts';
import { makePrivateKey } from '../../fakes/certificates.ts';
import { dyingAfterEachCall } from '../../fakes/recorder.ts';
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

const finalize = ({ ports, order }: OrderedWorld, spec = specWith()) => finalizeOrder({ ...run, spec, order }, ports);

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
    ['a cut connection', new CaUnavailableError('The connection was cut.')],
    ['malformed', new MalformedError('The order was finalized already.')],
    ['orderNotReady', new OrderNotReadyError('The order is processing.')],
  ])('%s after the order went on is success', async (_, error) => {
    const world = await ready();
    world.calls.loseReply('ca.finalize', error);
    expect(await finalize(world)).toMatchObject({ reached: true, status: 'valid' });
    expect(world.calls.names('ca.')).toEqual(['ca.finalize', 'ca.order']);
  });

  test.each([
    ['a cut connection', new CaUnavailableError('The connection was cut.')],
    ['malformed', new MalformedError('No such field.')],
    ['orderNotReady', new OrderNotReadyError('The order is pending.')],
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

test('what the CA refuses outright is not asked again', async () => {
  const world = await ready();
  world.calls.answer('ca.finalize', new BadCsrError('The key is weak.'));
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
  await dyingAfterEachCall(ready, finalize, async (world, output, last) => {
    expect(output.certificateUrl, last).toBe('https://ca.test/order/1/certificate');
    const staged = await world.secrets.stagedKey('www', world.order.url);
    expect(world.ca.finalizedWith.get(world.order.url), last).toBe(staged);
  });
});
