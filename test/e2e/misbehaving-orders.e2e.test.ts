import { createPrivateKey, X509Certificate } from 'node:crypto';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { renewalInfoOf } from '../../lambdas/domain/rules/renewal/renewal-info.ts';
import { startExecution } from '../../local/executions.ts';
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
  refusedAndPending,
  suggest,
  unknownStatus,
  withoutToken,
  withRefusedChallenge,
} from '../boulder/misbehaviour.ts';
import { count, type MisbehavingCa, startMisbehavingCa, WAIT_SCALE } from './misbehaving-ca.ts';
import { eventually, reaches, requestsOfOrders, requestsTo } from './observed.ts';

// CAs with wrong orders, challenges, chains or renewal information. Each case has its own certificate, which the first deployment issues
// unless it is in `unissued`. No case may lose the certificate, or leave TXT values or leases.

const renewalInfos = ['inverted', 'missing', 'without-retry-after'] as const;
const names = [
  ...['processing', 'invalid', 'saved', 'replaced', 'lost', 'nonce-refused', 'caa-finalize', 'rejected'],
  ...['intermediate', 'key', 'key-always', 'name-missing', 'name-more', 'status', 'due'],
  ...renewalInfos.map((each) => `ari-${each}`),
  ...['token', 'unproven', 'caa-proof', 'refused', 'refused-always', 'unstored'],
];
const unissued = ['token', 'unproven', 'caa-proof', 'saved'];

let ca: MisbehavingCa;
beforeAll(async () => {
  ca = await startMisbehavingCa({ names, unissued, uncapped: ['key', 'due'], pinned: ['unstored'] });
});
afterAll(() => ca?.d.stop());
afterEach(() => ca.behaveAgain());

test('the first deployment, with an external account binding, issues every certificate whose order is not rejected', async () => {
  const issued = await Promise.all(names.map(async (name) => (await ca.d.ledger(name)).current !== null));
  expect(names.filter((_, index) => !issued[index]).toSorted()).toEqual(unissued.toSorted());
});

test('the chain that is stored leads to the preferred root of two', async () => {
  const preferred = await ca.d.local.pebble.issuingRoot(1);
  const top = (await ca.d.secret('due')).chain.split(/(?=-----BEGIN)/).at(-1) ?? '';
  expect(new X509Certificate(top).verify(new X509Certificate(preferred).publicKey)).toBe(true);
});

describe('orders', () => {
  test('may be processing for ten minutes without a failure', async () => {
    ca.script('processing', 'finalize', processing(600 * WAIT_SCALE));
    const { waited } = await ca.succeeds('processing');
    expect(waited).toEqual([]);
  });

  test('that become invalid after ready are replaced by a new order', async () => {
    ca.script(
      'invalid',
      'finalize',
      invalidAfterReady({ type: 'serverInternal', status: 500, detail: 'the signer is gone' }),
    );
    const { waited, requests } = await ca.succeeds('invalid');
    expect(waited).toEqual([60]);
    expect(count(requests, 'newOrder')).toBe(2);
  });

  test('that fail with alreadyReplaced are placed again without replaces if this account has no such order', async () => {
    ca.script('replaced', 'newOrder', alreadyReplaced);
    const { requests } = await ca.succeeds('replaced');
    const replaces = requests.filter(({ kind }) => kind === 'newOrder').map(({ payload }) => typeof payload?.replaces);
    expect(replaces).toEqual(['string', 'undefined']);
  });

  test('whose reply was lost are found again after alreadyReplaced, and finalized once', async () => {
    ca.script('lost', 'newOrder', cut('after'));
    const { requests } = await ca.succeeds('lost');
    const orders = requests.filter(({ kind }) => kind === 'newOrder');
    expect(orders.map(({ outcome }) => outcome)).toEqual(['cut', 409, 201]);
    expect(requests.filter(({ kind }) => kind === 'finalize')).toHaveLength(1);
  });

  test('that a stopped execution has saved are resumed, and their TXT values are removed', async () => {
    const mark = ca.d.local.pebble.requests().length;
    const proceed = await ca.d.local.aws.holdState('Respond to challenges');
    const arn = await ca.d.start({ certificate: 'saved', force: true });
    await reaches(ca.d, arn, 'Respond to challenges');
    const before = new Set(await ca.d.renewals());
    await new SFNClient(ca.d.local.clientConfig).send(new StopExecutionCommand({ executionArn: arn }));
    await proceed();
    const restart = await eventually('The restart', async () =>
      (await ca.d.renewals()).find((each) => !before.has(each)),
    );
    expect(await ca.d.ended(restart)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await ca.d.ledger('saved')).toMatchObject({ lease: null, order: null, leftovers: [], failure: null });
    for (const zone of ca.zones) expect(await ca.d.txt(zone)).toEqual({});
    expect(requestsOfOrders(ca.d, mark)).toBe(1);
  });

  test('are retried after five badNonce errors in a row', async () => {
    ca.script('nonce-refused', 'newOrder', badNonce, 5);
    const { requests } = await ca.succeeds('nonce-refused');
    expect(count(requests, 'newOrder')).toBe(6);
  });

  test('with a status that is not in RFC 8555 are read again until the status is known', async () => {
    ca.script('status', 'order', unknownStatus('waiting'), 3);
    await ca.succeeds('status');
  });
});

describe('a proof of control', () => {
  test('whose challenge has no token is retried on the retry schedule', async () => {
    ca.always('token', 'authorization', withoutToken);
    await ca.withShortestWaits(async () => {
      const { waited } = await ca.fails('token', 'NoDnsChallengeError', /no dns-01 challenge/);
      // The first failure was the rejected order of the deployment.
      expect(waited).toEqual([600, 6000]);
    });
  });

  test('whose TXT value the CA cannot see is attempted at most four times of the five that the CA allows in an hour', async () => {
    const name = `_acme-challenge.${ca.identifierOf('unproven')}`;
    const show = ca.d.local.dns.hide({ view: 'validation', name });
    await ca.withShortestWaits(async () => {
      const { requests } = await ca.fails('unproven', 'ChallengeFailedError', /TXT/);
      expect(count(requests, 'challenge')).toBeLessThanOrEqual(4);
    });
    show();
  });

  test('that the CA has refused but left pending is answered a second time, and succeeds', async () => {
    const problem = { type: 'unauthorized', status: 403, detail: 'No TXT record found at the first look' };
    ca.script('refused', 'challenge', refusedAndPending(problem), 1);
    // The proxy adds the problem only to a challenge that is pending.
    ca.always('refused', 'authorization', withRefusedChallenge(problem));
    const { requests, waited } = await ca.succeeds('refused');
    expect(count(requests, 'challenge')).toBe(2);
    expect(waited).toEqual([]);
  });

  test('that the CA always refuses but leaves pending fails in the words of the CA', async () => {
    const problem = { type: 'unauthorized', status: 403, detail: 'No TXT record found, ever' };
    ca.always('refused-always', 'challenge', refusedAndPending(problem));
    ca.always('refused-always', 'authorization', withRefusedChallenge(problem));
    await ca.withShortestWaits(async () => {
      await ca.fails('refused-always', 'ChallengeFailedError', /No TXT record found, ever/);
    });
  });

  test('that CAA forbids at validation is not retried', async () => {
    const allow = ca.boulder.forbidByCaa(ca.identifierOf('caa-proof'));
    const { waited, requests } = await ca.fails('caa-proof', 'ChallengeFailedError', /CAA record/);
    allow();
    expect(waited).toEqual([]);
    expect(count(requests, 'newOrder')).toBe(1);
  });

  test('of an order that CAA forbids at finalize is not retried, and the order is finalized when CAA allows it', async () => {
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

  test('for an identifier that the CA rejects is not retried', async () => {
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
  ] as const)('with %s are not stored, but the next chain is', async (_, name, forgery) => {
    const forged = await makeForgedChains();
    ca.script(name, 'certificate', chain(forged[forgery]));
    await ca.succeeds(name);
  });

  test('for another key are ordered again only up to the issue cap', async () => {
    const forged = await makeForgedChains();
    ca.always('key-always', 'certificate', chain(forged.anotherKey));
    const mark = ca.d.local.pebble.requests().length;
    const { run } = await ca.renew('key-always');
    expect(run).toMatchObject({ status: 'FAILED', error: 'IssueCapError' });
    expect(run.cause).toContain(ca.identifierOf('key-always'));
    expect(requestsTo(ca.d, '/finalize-order', mark)).toBe(1);
  });

  test('whose leaf has an additional name are stored', async () => {
    const forged = await makeForgedChains();
    ca.always('name-more', 'certificate', chain(forged.oneMoreName));
    await ca.succeeds('name-more');
    expect(new X509Certificate((await ca.d.secret('name-more')).certificate).subjectAltName).toContain(
      'one-more.example',
    );
  });
});

test('a certificate that was issued and not stored is downloaded and revoked when its key is compromised', async () => {
  const { d } = ca;
  const { privateKey, serialNumber } = await d.secret('unstored');
  ca.always('unstored', 'certificate', refuse({ type: 'malformed', status: 404, detail: 'no such certificate' }));
  const { run, requests } = await ca.renew('unstored');
  expect(run.status).toBe('FAILED');
  expect(count(requests, 'finalize')).toBe(1);
  ca.behaveAgain();

  const input = { action: 'revoke', certificate: 'unstored', reason: 'keyCompromise' };
  const [, accounts = ''] = Object.entries(d.outputs).find(([key]) => key.endsWith('AccountsArn')) ?? [];
  const revocation = await d.ended(await startExecution(d.local, accounts, input));
  expect(revocation).toMatchObject({ status: 'SUCCEEDED' });
  const { revoked, renewal } = revocation.output as { readonly revoked: readonly string[]; readonly renewal: string };
  expect(revoked).toHaveLength(2);
  for (const serial of [serialNumber, ...revoked]) {
    const reply = await d.local.pebble.manage('GET', `/cert-status-by-serial/${serial}`);
    const { Status, Certificate } = JSON.parse(reply) as { readonly Status: string; readonly Certificate: string };
    expect(Status, serial).toBe('Revoked');
    expect(new X509Certificate(Certificate).checkPrivateKey(createPrivateKey(privateKey)), serial).toBe(true);
  }

  expect(await d.ended(renewal)).toMatchObject({ status: 'SUCCEEDED' });
  const { certificate } = await d.secret('unstored');
  expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))).toBe(false);
});

describe('renewal information', () => {
  const idOf = async (name: string) => (await ca.d.ledger(name)).current?.certificateId ?? '';
  async function ari(name: string, behaviour: Behaviour): Promise<void> {
    const id = await idOf(name);
    const matcher = ({ kind, url }: { kind: string; url: string }) => kind === 'renewalInfo' && url.endsWith(id);
    ca.during(matcher, behaviour);
  }

  test('that is invalid is ignored, and nothing is ordered because the dates decide', async () => {
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
      const record = await ca.d.ledger(`ari-${each}`);
      const id = record.current?.certificateId ?? '';
      expect(asked.filter(({ kind, url }) => kind === 'renewalInfo' && url.endsWith(id)).length, each).toBe(1);
      const info = renewalInfoOf(record);
      if (each !== 'without-retry-after') {
        // An answer without a window is not written, because the next run asks again. The ledger may still have the window of the certificate before.
        expect(info?.start ?? null, each).toBeNull();
        continue;
      }
      expect(info?.start, each).toBe('2035-01-01T00:00:00.000Z');
      expect((Date.parse(info?.nextFetch ?? '') - Date.now()) / 3_600_000, each).toBeCloseTo(6, 0);
    }
  });

  test('with a window in the past renews the certificate in the next fleet run, with replaces', async () => {
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
