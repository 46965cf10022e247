import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeForgedChains } from '../boulder/forged-chains.ts';
import {
  alreadyReplaced,
  type Behaviour,
  badNonce,
  chain,
  cut,
  invalidAfterReady,
  processing,
  refuse,
  suggest,
  unknownStatus,
  withoutToken,
} from '../boulder/misbehaviour.ts';
import { count, type MisbehavingCa, startMisbehavingCa, WAIT_SCALE } from './misbehaving-ca.ts';
import { reaches, requestsOfOrders, requestsTo } from './observed.ts';

/**
 * CAs whose orders, challenges, chains or suggestions are not as they should be. Each case has a certificate of its own, issued before
 * without a disturbance unless it says so. A disturbance must neither lose the certificate nor leave anything behind.
 */
const renewalInfos = ['inverted', 'missing', 'without-retry-after'] as const;
const names = [
  ...['processing', 'invalid', 'saved', 'replaced', 'lost', 'nonce-refused', 'caa-finalize', 'rejected'],
  ...['intermediate', 'key', 'key-always', 'name-missing', 'name-more', 'status', 'due'],
  ...renewalInfos.map((each) => `ari-${each}`),
  ...['token', 'unproven', 'caa-proof'],
];
const unissued = ['token', 'unproven', 'caa-proof', 'saved'];

let ca: MisbehavingCa;
beforeAll(async () => {
  ca = await startMisbehavingCa({ names, unissued, uncapped: ['key', 'due'] });
});
afterAll(() => ca?.d.stop());
afterEach(() => ca.behaveAgain());

test('with an external account binding, every certificate but those refused is issued by the first deployment', async () => {
  const issued = await Promise.all(names.map(async (name) => (await ca.d.ledger(name)).current !== null));
  expect(names.filter((_, index) => !issued[index]).toSorted()).toEqual(unissued.toSorted());
});

test('of two roots the chain ends in the one that is preferred', async () => {
  const preferred = await ca.d.local.pebble.issuingRoot(1);
  const top = (await ca.d.secret('due')).chain.split(/(?=-----BEGIN)/).at(-1) ?? '';
  expect(new X509Certificate(top).verify(new X509Certificate(preferred).publicKey)).toBe(true);
});

describe('orders', () => {
  test('ten minutes of processing are waited for', async () => {
    ca.script('processing', 'finalize', processing(600 * WAIT_SCALE));
    const { waited } = await ca.succeeds('processing');
    expect(waited).toEqual([]);
  });

  test('an order invalid after ready is followed by another one', async () => {
    ca.script(
      'invalid',
      'finalize',
      invalidAfterReady({ type: 'serverInternal', status: 500, detail: 'the signer is gone' }),
    );
    const { waited, requests } = await ca.succeeds('invalid');
    expect(waited).toEqual([60]);
    expect(count(requests, 'newOrder')).toBe(2);
  });

  test('alreadyReplaced without such an order is followed by an order without replaces', async () => {
    ca.script('replaced', 'newOrder', alreadyReplaced);
    const { requests } = await ca.succeeds('replaced');
    const replaces = requests.filter(({ kind }) => kind === 'newOrder').map(({ payload }) => typeof payload?.replaces);
    expect(replaces).toEqual(['string', 'undefined']);
  });

  test('alreadyReplaced by an order of this account whose reply was lost leads back to that order', async () => {
    ca.script('lost', 'newOrder', cut('after'));
    const { requests } = await ca.succeeds('lost');
    const orders = requests.filter(({ kind }) => kind === 'newOrder');
    expect(orders.map(({ outcome }) => outcome)).toEqual(['cut', 409, 201]);
    expect(requests.filter(({ kind }) => kind === 'finalize')).toHaveLength(1);
  });

  test('an order that a stopped execution has saved is resumed, and its TXT values are removed', async () => {
    ca.always('saved', 'challenge', cut('before'));
    const mark = ca.d.local.pebble.requests().length;
    const arn = await ca.d.start({ certificate: 'saved', force: true });
    await reaches(ca.d, arn, 'Respond to challenges');
    await new SFNClient(ca.d.local.clientConfig).send(new StopExecutionCommand({ executionArn: arn }));
    ca.behaveAgain();
    await sleep(500);
    await ca.d.idle();
    if ((await ca.d.ledger('saved')).order) await ca.d.renew({ certificate: 'saved', force: true });
    expect(await ca.d.ledger('saved')).toMatchObject({ lease: null, order: null, leftovers: [], failure: null });
    for (const zone of ca.zones) expect(await ca.d.txt(zone)).toEqual({});
    expect(requestsOfOrders(ca.d, mark)).toBe(1);
  });

  test('five badNonce in a row are retried', async () => {
    ca.script('nonce-refused', 'newOrder', badNonce, 5);
    const { requests } = await ca.succeeds('nonce-refused');
    expect(count(requests, 'newOrder')).toBe(6);
  });

  test('a status that is not in RFC 8555 is waited out', async () => {
    ca.script('status', 'order', unknownStatus('waiting'), 3);
    await ca.succeeds('status');
  });
});

describe('proofs of control', () => {
  test('a challenge without a token is retried on the retry schedule', async () => {
    ca.always('token', 'authorization', withoutToken);
    await ca.withShortestWaits(async () => {
      const { waited } = await ca.fails('token', 'NoDnsChallengeError', /no dns-01 challenge/);
      // The first failure was the refused order of the deployment.
      expect(waited).toEqual([600, 6000]);
    });
  });

  test('a TXT value that the CA cannot see costs four of the five failures that it allows in an hour', async () => {
    const name = `_acme-challenge.${ca.identifierOf('unproven')}`;
    const show = ca.d.local.dns.hide({ view: 'validation', name });
    await ca.withShortestWaits(async () => {
      const { requests } = await ca.fails('unproven', 'ChallengeFailedError', /TXT/);
      expect(count(requests, 'challenge')).toBeLessThanOrEqual(4);
    });
    show();
  });

  test('CAA that forbids at validation is not retried', async () => {
    const allow = ca.boulder.forbidByCaa(ca.identifierOf('caa-proof'));
    const { waited, requests } = await ca.fails('caa-proof', 'ChallengeFailedError', /CAA record/);
    allow();
    expect(waited).toEqual([]);
    expect(count(requests, 'newOrder')).toBe(1);
  });

  test('CAA that forbids at finalize is not retried, and the order is used once CAA allows it', async () => {
    const problem = {
      type: 'caa',
      status: 403,
      detail: `CAA record for ${ca.identifierOf('caa-finalize')} prevents issuance`,
    };
    ca.always('caa-finalize', 'finalize', refuse(problem));
    const { waited } = await ca.fails('caa-finalize', 'CaaError', /CAA record/);
    expect(waited).toEqual([]);
    ca.behaveAgain();
    const { requests } = await ca.succeeds('caa-finalize');
    expect(count(requests, 'newOrder')).toBe(0);
  });

  test('a rejected identifier is not retried', async () => {
    ca.always(
      'rejected',
      'newOrder',
      refuse({ type: 'rejectedIdentifier', status: 400, detail: 'forbidden by policy' }),
    );
    const { requests } = await ca.fails('rejected', 'RejectedIdentifierError', /forbidden by policy/);
    expect(count(requests, 'newOrder')).toBe(1);
  });
});

describe('chains', () => {
  test.each([
    ['an intermediate that did not sign the leaf', 'intermediate', 'wrongIntermediate'],
    ['a leaf for another key', 'key', 'anotherKey'],
    ['a leaf that lacks a name', 'name-missing', 'missingName'],
  ] as const)('with %s are not stored, and the next one is', async (_, name, forgery) => {
    const forged = await makeForgedChains();
    ca.script(name, 'certificate', chain(forged[forgery]));
    await ca.succeeds(name);
  });

  test('chains for another key are ordered again only up to the issue cap', async () => {
    const forged = await makeForgedChains();
    ca.always('key-always', 'certificate', chain(forged.anotherKey));
    const mark = ca.d.local.pebble.requests().length;
    const { run } = await ca.renew('key-always');
    expect(run).toMatchObject({ status: 'FAILED', error: 'IssueCapError' });
    expect(run.cause).toContain(ca.identifierOf('key-always'));
    expect(requestsTo(ca.d, '/finalize-order', mark)).toBe(1);
  });

  test('a leaf with an additional name is stored', async () => {
    const forged = await makeForgedChains();
    ca.always('name-more', 'certificate', chain(forged.oneMoreName));
    await ca.succeeds('name-more');
    expect(new X509Certificate((await ca.d.secret('name-more')).certificate).subjectAltName).toContain(
      'one-more.example',
    );
  });
});

describe('renewal information', () => {
  const idOf = async (name: string) => (await ca.d.ledger(name)).current?.certificateId ?? '';
  async function ari(name: string, behaviour: Behaviour): Promise<void> {
    const id = await idOf(name);
    const matcher = ({ kind, url }: { kind: string; url: string }) => kind === 'renewalInfo' && url.endsWith(id);
    ca.during(matcher, behaviour);
  }

  test('that is unusable is ignored: the dates decide, and nothing is ordered', async () => {
    const soon = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    for (const each of renewalInfos) await ca.d.renew({ certificate: `ari-${each}`, force: true });
    await ari('ari-inverted', suggest({ start: soon.end, end: soon.start }));
    await ari('ari-missing', refuse({ type: 'malformed', status: 404, detail: 'no such certificate' }));
    await ari('ari-without-retry-after', suggest({ start: '2035-01-01T00:00:00Z', end: '2035-01-02T00:00:00Z' }, null));
    const mark = ca.boulder.requests().length;
    await ca.d.fleet();
    await ca.d.idle();
    const asked = ca.boulder.requests(mark);
    expect(count(asked, 'newOrder')).toBe(0);
    for (const each of renewalInfos) {
      const { renewalInfo } = await ca.d.ledger(`ari-${each}`);
      const hours = (Date.parse(renewalInfo?.nextFetch ?? '') - Date.now()) / 3_600_000;
      expect(hours, each).toBeCloseTo(6, 0);
      if (each !== 'without-retry-after') expect(renewalInfo, each).toMatchObject({ start: null, end: null });
    }
  });

  test('that was moved into the past renews at the next run, with replaces', async () => {
    await ca.d.renew({ certificate: 'due', force: true });
    const id = await idOf('due');
    const { certificate, serialNumber } = await ca.d.secret('due');
    const suggestedWindow = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    await ca.d.local.pebble.manage('POST', '/set-renewal-info/', {
      Certificate: certificate,
      ARIResponse: JSON.stringify({ suggestedWindow, explanationURL: 'https://ca.example/incident' }),
    });
    const mark = ca.boulder.requests().length;
    await ca.d.fleet();
    await ca.d.idle();
    expect((await ca.d.secret('due')).serialNumber).not.toBe(serialNumber);
    const [order] = ca.boulder.requests(mark).filter(({ kind }) => kind === 'newOrder');
    expect(order?.payload?.replaces).toBe(id);

    // The suggestion for the old certificate does not apply to the new one.
    const after = ca.boulder.requests().length;
    await ca.d.fleet();
    await ca.d.idle();
    expect(count(ca.boulder.requests(after), 'newOrder')).toBe(0);
  });
});
