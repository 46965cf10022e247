import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EndedExecution, readHistory } from '../../local/executions.ts';
import { type Boulder, type Exchange, startBoulder } from '../boulder/boulder.ts';
import type { RequestKind } from '../boulder/exchange.ts';
import { makeForgedChains } from '../boulder/forged-chains.ts';
import {
  alreadyReplaced,
  type Behaviour,
  badNonce,
  chain,
  cut,
  invalidAfterReady,
  notJson,
  overloaded,
  processing,
  rateLimit,
  refuse,
  slow,
  suggest,
  unknownStatus,
  withoutNonce,
  withoutToken,
} from '../boulder/misbehaviour.ts';
import { type Deployed, deployed } from './deployed.ts';

/**
 * CAs that behave badly, and what becomes of the renewal. Each case has a certificate of its own, issued before in peace unless it says
 * so: what goes wrong must neither lose it nor leave anything behind. Minutes pass in milliseconds.
 */
const waitScale = 0.001;
const zones = ['example.com', 'example.net'];
const cutKinds = ['newNonce', 'newOrder', 'authorization', 'challenge', 'order', 'finalize', 'certificate'] as const;
const renewalInfos = ['inverted', 'missing', 'without-retry-after'] as const;
/** Begin with nothing issued, so that there is something to prove: the CA is not there for their first order. */
const proofs = ['before-authorization', 'after-authorization', 'before-challenge', 'after-challenge', 'saved'];
const unissued = ['token', 'unproven', 'caa-proof', ...proofs];
/** Never issued: their CA behaves so from the first order on, all day. */
const allDay = { limited: rateLimit(600, 'seconds'), outage: overloaded() };
const names = [
  ...['seconds', 'date', 'text', 'long', 'nonces', 'paused', 'limited'],
  ...['page', 'page-later', 'outage', 'silence', 'html', 'html-always'],
  ...cutKinds.flatMap((kind) => [`before-${kind}`.toLowerCase(), `after-${kind}`.toLowerCase()]),
  ...['processing', 'invalid', 'saved', 'replaced', 'lost', 'nonce-refused', 'caa-finalize', 'rejected'],
  ...['intermediate', 'key', 'key-always', 'name-missing', 'name-more', 'status', 'status-always', 'slow', 'due'],
  ...renewalInfos.map((each) => `ari-${each}`),
  ...['token', 'unproven', 'caa-proof'],
];
// Half of them in each zone: the CA issues fifty certificates a week for a domain.
const identifierOf = (name: string) => `${name}.${zones[names.indexOf(name) % 2]}`;
/** These are issued three times. */
const uncapped = ['key', 'due'];
const certificates = names.map((name) => ({
  name,
  identifiers: [identifierOf(name)],
  // Without one Pebble takes any, and the ladder is shorter for certificates of a week.
  profile: 'default',
  ignoreIssueCap: uncapped.includes(name),
}));
const externalAccountKey = {
  kid: 'key-1',
  hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W',
};

let d: Deployed;
let boulder: Boulder;
const seen: string[] = [];
const callOffs: (() => void)[] = [];

beforeAll(async () => {
  const { kid, hmacKey } = externalAccountKey;
  const pebble = {
    chaos: { reuseAuthorizations: false, validationSleep: false, rejectNonces: false },
    externalAccountKeys: { [kid]: hmacKey },
    alternateRoots: 1,
  };
  d = await deployed(
    async (local) => {
      boulder = await startBoulder({ upstream: local.pebble });
      for (const name of unissued) always(name, 'newOrder', overloaded(90_000));
      for (const [name, behaviour] of Object.entries(allDay)) {
        boulder.next({ kind: 'newOrder', identifier: identifierOf(name) }, behaviour, Number.POSITIVE_INFINITY);
      }
      const secrets = new SecretsManagerClient(local.clientConfig);
      const binding = { Name: 'binding', SecretString: JSON.stringify(externalAccountKey) };
      const { ARN: externalAccountBinding = '' } = await secrets.send(new CreateSecretCommand(binding));
      const preferredChain = commonNameOf(await local.pebble.issuingRoot(1));
      const { directoryUrl, trustedRoots } = boulder;
      const issuer = {
        directoryUrl,
        trustedRoots: [trustedRoots],
        replyTimeout: 3,
        externalAccountBinding,
        preferredChain,
      };
      return { zones, certificates, issuer };
    },
    { waitScale, pebble },
  );
  callOff();
});
afterAll(async () => {
  mkdirSync('test-results', { recursive: true });
  writeFileSync('test-results/behaviour.md', `| case | seen | requests |\n| --- | --- | --- |\n${seen.join('\n')}\n`);
  await boulder?.stop();
  await d?.stop();
});
afterEach(callOff);

function callOff(): void {
  for (const each of callOffs.splice(0)) each();
}

/** For this certificate's requests of that kind. */
function script(name: string, kind: RequestKind, behaviour: Behaviour, times = 1): void {
  // A nonce is for whatever request comes next.
  const matcher = kind === 'newNonce' ? kind : { kind, identifier: identifierOf(name) };
  callOffs.push(boulder.next(matcher, behaviour, times));
}
function always(name: string, kind: RequestKind, behaviour: Behaviour): void {
  script(name, kind, behaviour, Number.POSITIVE_INFINITY);
}

interface Seen {
  readonly run: EndedExecution;
  readonly requests: readonly Exchange[];
  /** Seconds that were waited between tries, as told by *Record failure*. */
  readonly waited: readonly number[];
  readonly before: { readonly serialNumber: string; readonly privateKey: string } | null;
}

/** A renewal, and what has to hold however it ends. */
async function renew(name: string, title: string): Promise<Seen> {
  const before = unissued.includes(name) && !(await d.ledger(name)).current ? null : await d.secret(name);
  const mark = boulder.requests().length;
  const run = await d.renew({ certificate: name, force: true }, 150);
  const requests = boulder.requests(mark);
  const waited = retriesIn(run);
  const outcome = [...(await earlierErrors(run)), run.error ?? run.status].join(', ');
  const waits = waited.length > 0 ? ` after waits of ${waited.join(', ')} s` : '';
  seen.push(`| ${title} | ${outcome}${waits}${run.cause ? `: ${run.cause}` : ''} | ${requests.length} |`);

  for (const zone of zones) expect(await d.txt(zone)).toEqual({});
  expect(await d.ledger(name)).toMatchObject({ lease: null, leftovers: [] });
  if (before || run.status === 'SUCCEEDED') {
    const { certificate, privateKey, serialNumber } = await d.secret(name);
    expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
    if (run.status === 'SUCCEEDED') expect(serialNumber).not.toBe(before?.serialNumber);
    else expect(serialNumber).toBe(before?.serialNumber);
  }
  return { run, requests, waited, before };
}

/** Of the tries before the last. */
async function earlierErrors({ arn, status }: EndedExecution): Promise<readonly string[]> {
  const errors = (await d.local.aws.busEvents()).flatMap(({ detailType, detail }) => {
    const told = detail as { readonly execution: string; readonly error: string };
    return detailType === 'Certificate Renewal Failed' && told.execution === arn ? [told.error] : [];
  });
  return status === 'FAILED' ? errors.slice(0, -1) : errors;
}

/** `retryIn` of each *Record failure*. */
function retriesIn({ history }: EndedExecution): number[] {
  return history.flatMap(({ stateExitedEventDetails: exited }) => {
    if (exited?.name !== 'Record failure') return [];
    const { retryIn } = JSON.parse(exited.output ?? '{}').Payload ?? JSON.parse(exited.output ?? '{}');
    return typeof retryIn === 'number' ? [retryIn] : [];
  });
}

async function succeeds(name: string, title: string): Promise<Seen> {
  const seenNow = await renew(name, title);
  expect(seenNow.run.cause).toBeUndefined();
  expect(seenNow.run.status).toBe('SUCCEEDED');
  expect((await d.ledger(name)).failure).toBeNull();
  return seenNow;
}

/** It ends in this error, says so with the identifier, and the fleet leaves it alone until then. */
async function fails(name: string, title: string, error: string, words: RegExp): Promise<Seen> {
  const seenNow = await renew(name, title);
  expect(seenNow.run).toMatchObject({ status: 'FAILED', error });
  expect(seenNow.run.cause).toMatch(words);
  // Where it is not the identifier that begins with it, it is the certificate.
  expect(seenNow.run.cause).toContain(name);
  const events = (await d.local.aws.busEvents()).filter(
    ({ detailType }) => detailType === 'Certificate Renewal Failed',
  );
  expect(events.at(-1)?.detail).toMatchObject({ certificate: name, error, cause: seenNow.run.cause });
  expect((await d.ledger(name)).failure?.error).toBe(error);
  const mark = boulder.requests().length;
  await d.fleet();
  await d.idle();
  expect(boulder.requests(mark).filter(({ identifiers }) => identifiers.includes(identifierOf(name)))).toEqual([]);
  return seenNow;
}

const count = (requests: readonly Exchange[], kind: RequestKind) =>
  requests.filter((each) => each.kind === kind).length;
const notBefore = async (name: string) => Date.parse((await d.ledger(name)).notBefore ?? '') - Date.now();
const day = 86_400_000;

test('with an external account binding, every certificate but those refused is issued by the run that the deploy started', async () => {
  const found = await Promise.all(
    names.map(async (name) => {
      const { current, failure } = await d.ledger(name);
      return { name, issued: current !== null, cause: failure?.cause };
    }),
  );
  const expected = (name: string) => !unissued.includes(name) && !(name in allDay);
  expect(found.filter(({ name, issued }) => issued !== expected(name))).toEqual([]);
});

test('of two roots the chain ends in the one that is preferred', async () => {
  const preferred = await d.local.pebble.issuingRoot(1);
  const top = (await d.secret('due')).chain.split(/(?=-----BEGIN)/).at(-1) ?? '';
  expect(new X509Certificate(top).verify(new X509Certificate(preferred).publicKey)).toBe(true);
});

describe('limits', () => {
  test.each(['seconds', 'date', 'text'] as const)('429 whose time is given as %s is waited for', async (told) => {
    script(told, 'newOrder', rateLimit(600, told));
    const { requests, waited } = await succeeds(told, `429, Retry-After 600 s as ${told}`);
    expect(count(requests, 'newOrder')).toBe(2);
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThan(595);
    expect(waited[0]).toBeLessThanOrEqual(661);
  });

  test('429 for a day ends the execution, and nothing is asked before', async () => {
    always('long', 'newOrder', rateLimit(86_400, 'seconds'));
    const { requests } = await fails('long', '429, Retry-After a day', 'RateLimitedError', /too many new orders/);
    expect(count(requests, 'newOrder')).toBe(1);
    expect(await notBefore('long')).toBeGreaterThan(day - 60_000);
  });

  test('429 on newNonce is waited for', async () => {
    script('nonces', 'newNonce', rateLimit(600, 'seconds'));
    callOffs.push(boulder.next(({ kind }) => kind !== 'newNonce', withoutNonce, Number.POSITIVE_INFINITY));
    const { waited } = await succeeds('nonces', '429 on newNonce, Retry-After 600 s');
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThanOrEqual(600);
  });

  test('a paused account calls a person, with the link but not its token', async () => {
    const release = boulder.pause(identifierOf('paused'));
    const { run, requests } = await fails('paused', 'account paused', 'AccountPausedError', /temporarily prevented/);
    release();
    expect(run.cause).toContain('https://boulder.example/sfe/v1/unpause');
    expect(run.cause).not.toContain('jwt=');
    expect(count(requests, 'newOrder')).toBe(1);
    expect(await notBefore('paused')).toBeGreaterThan(day - 60_000);
  });
});

describe('a CA that cannot answer', () => {
  test('503 with a page, once, is tried again in place', async () => {
    script('page', 'newOrder', overloaded());
    const { waited } = await succeeds('page', '503 from the load balancer, once');
    expect(waited).toEqual([]);
  });

  test('503 that says when, is tried again then', async () => {
    script('page-later', 'newOrder', overloaded(600));
    const { waited, requests } = await succeeds('page-later', '503 with Retry-After 600 s');
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThan(599);
    expect(count(requests, 'newOrder')).toBe(2);
  });

  test('503 to everything climbs the ladder', async () => {
    callOffs.push(boulder.next(() => true, overloaded(), Number.POSITIVE_INFINITY));
    const { run, requests, waited } = await renew('silence', '503 to everything');
    expect(run).toMatchObject({ status: 'FAILED', error: 'CaUnavailableError' });
    expect(waited).toEqual([60, 600, 6000]);
    expect(requests).toHaveLength(16);
    expect(await notBefore('silence')).toBeGreaterThan(day - 60_000);
  });

  test('a body that is not JSON, once, is tried again in place', async () => {
    script('html', 'newOrder', notJson);
    await succeeds('html', 'a page in place of an order, once');
  });

  test('a body that is not JSON, all day', async () => {
    always('html-always', 'newOrder', notJson);
    const { waited } = await fails(
      'html-always',
      'a page in place of an order, all day',
      'CaUnavailableError',
      /nginx/,
    );
    expect(waited).toEqual([60, 600, 6000]);
  });

  // As 30 s to the 45 s that a reply may take by default.
  test('two thirds of the time that a reply may take, for each answer', async () => {
    callOffs.push(boulder.next(() => true, slow(2), Number.POSITIVE_INFINITY));
    await succeeds('slow', 'each answer takes two thirds of the time allowed');
  });

  test.each(cutKinds.flatMap((kind) => [['before', kind] as const, ['after', kind] as const]))(
    'a connection cut %s %s was heard is made good with one order',
    async (when, kind) => {
      const name = `${when}-${kind}`.toLowerCase();
      script(name, kind, cut(when));
      if (kind === 'newNonce')
        callOffs.push(boulder.next((each) => each.kind !== kind, withoutNonce, Number.POSITIVE_INFINITY));
      const mark = d.local.pebble.requests().length;
      const { requests } = await succeeds(name, `connection cut ${when} ${kind} was heard`);
      expect(requests.filter(({ outcome }) => outcome === 'cut')).toHaveLength(1);
      expect(d.local.pebble.requests(mark).filter(({ path }) => path === '/order-plz')).toHaveLength(1);
      expect(d.local.pebble.requests(mark).filter(({ path }) => path.startsWith('/finalize-order'))).toHaveLength(1);
    },
  );
});

describe('a certificate that was never issued, on the first day', () => {
  test.each([
    ['limited', 'RateLimitedError', [600, 600, 6000], 'Retry-After 600 s to every order'],
    ['outage', 'CaUnavailableError', [60, 600, 6000], '503 to every order'],
  ] as const)('%s: costs the CA 30 orders at most', async (name, error, waits, title) => {
    const first = (await d.idle()).find((arn) => arn.split(':').at(-1)?.startsWith(`${name}-`)) ?? '';
    const run = await d.ended(first);
    expect(run).toMatchObject({ status: 'FAILED', error });
    for (const [rung, seconds] of retriesIn(run).entries()) {
      expect(seconds).toBeGreaterThanOrEqual(waits[rung] ?? Number.POSITIVE_INFINITY);
      expect(seconds).toBeLessThanOrEqual((waits[rung] ?? 0) * 1.1 + 1);
    }
    const orders = () =>
      boulder.requests().filter(({ identifiers }) => identifiers.includes(identifierOf(name))).length;
    const ofTheFirst = orders();
    const runs = await fleetRunsUntilTomorrow(name, run);
    seen.push(
      `| ${title}, all day | ${error} after waits of ${retriesIn(run).join(', ')} s, then ${runs} of 3 fleet runs tried | ${ofTheFirst} and ${orders() - ofTheFirst} orders |`,
    );
    expect(orders()).toBeLessThanOrEqual(30);
  });
});

describe('orders', () => {
  test('ten minutes of processing are waited for', async () => {
    script('processing', 'finalize', processing(600 * waitScale));
    const { waited } = await succeeds('processing', 'processing for ten minutes');
    expect(waited).toEqual([]);
  });

  test('an order invalid after ready is followed by another one', async () => {
    script(
      'invalid',
      'finalize',
      invalidAfterReady({ type: 'serverInternal', status: 500, detail: 'the signer is gone' }),
    );
    const { waited, requests } = await succeeds('invalid', 'order invalid after ready');
    expect(waited).toEqual([60]);
    expect(count(requests, 'newOrder')).toBe(2);
  });

  test('alreadyReplaced by nobody’s order is asked once more without replaces', async () => {
    script('replaced', 'newOrder', alreadyReplaced);
    const { requests } = await succeeds('replaced', 'alreadyReplaced by nobody’s order');
    const replaces = requests.filter(({ kind }) => kind === 'newOrder').map(({ payload }) => typeof payload?.replaces);
    expect(replaces).toEqual(['string', 'undefined']);
  });

  test('alreadyReplaced by our own order, whose reply was lost, leads back to that order', async () => {
    script('lost', 'newOrder', cut('after'));
    const { requests } = await succeeds('lost', 'alreadyReplaced by our own order');
    const orders = requests.filter(({ kind }) => kind === 'newOrder');
    expect(orders.map(({ outcome }) => outcome)).toEqual(['cut', 409, 201]);
    expect(requests.filter(({ kind }) => kind === 'finalize')).toHaveLength(1);
  });

  test('an order that a dead run has saved is carried on, with the values it left', async () => {
    always('saved', 'challenge', cut('before'));
    const mark = d.local.pebble.requests().length;
    const arn = await d.start({ certificate: 'saved', force: true });
    await reaches(arn, 'Respond to challenges');
    await new SFNClient(d.local.clientConfig).send(new StopExecutionCommand({ executionArn: arn }));
    callOff();
    await sleep(500);
    await d.idle();
    if ((await d.ledger('saved')).order) await d.renew({ certificate: 'saved', force: true });
    expect(await d.ledger('saved')).toMatchObject({ lease: null, order: null, leftovers: [], failure: null });
    expect(await d.txt(zones[names.indexOf('saved') % 2] ?? '')).toEqual({});
    const orders = d.local.pebble.requests(mark).filter(({ path }) => path === '/order-plz');
    expect(orders).toHaveLength(1);
    seen.push('| run stopped between order and proof | SUCCEEDED with the same order | |');
  });

  test('badNonce five times running', async () => {
    script('nonce-refused', 'newOrder', badNonce, 5);
    const { requests } = await succeeds('nonce-refused', 'badNonce five times running');
    expect(count(requests, 'newOrder')).toBe(6);
  });

  test('a status that nobody knows is waited out', async () => {
    script('status', 'order', unknownStatus('waiting'), 3);
    await succeeds('status', 'unknown status, three times');
  });

  test('a status that nobody knows, for ever, ends in OrderTimeoutError', async () => {
    always('status-always', 'order', unknownStatus('waiting'));
    await fails('status-always', 'unknown status, for ever', 'OrderTimeoutError', /waiting/);
  });
});

describe('proofs', () => {
  test('a challenge without token', async () => {
    always('token', 'authorization', withoutToken);
    const { waited } = await fails('token', 'challenge without token', 'NoDnsChallengeError', /no dns-01 challenge/);
    // The first failure was when it could not be ordered at all.
    expect(waited).toEqual([600, 6000]);
  });

  test('a proof that the CA cannot see spends four of its five failures an hour', async () => {
    const name = `_acme-challenge.${identifierOf('unproven')}`;
    const show = d.local.dns.hide({ view: 'validation', name });
    const { requests } = await fails('unproven', 'proof not seen by the CA', 'ChallengeFailedError', /TXT/);
    show();
    expect(count(requests, 'challenge')).toBeLessThanOrEqual(4);
  });

  test('CAA that forbids at validation calls a person', async () => {
    const allow = boulder.forbidByCaa(identifierOf('caa-proof'));
    const { waited, requests } = await fails(
      'caa-proof',
      'CAA forbids at validation',
      'ChallengeFailedError',
      /CAA record/,
    );
    allow();
    expect(waited).toEqual([]);
    expect(count(requests, 'newOrder')).toBe(1);
  });

  test('CAA that forbids at finalize calls a person, and the order is used once it allows', async () => {
    const problem = {
      type: 'caa',
      status: 403,
      detail: `CAA record for ${identifierOf('caa-finalize')} prevents issuance`,
    };
    always('caa-finalize', 'finalize', refuse(problem));
    const { waited } = await fails('caa-finalize', 'CAA forbids at finalize', 'CaaError', /CAA record/);
    expect(waited).toEqual([]);
    callOff();
    const { requests } = await succeeds('caa-finalize', 'CAA allows again');
    expect(count(requests, 'newOrder')).toBe(0);
  });

  test('a rejected identifier calls a person', async () => {
    always('rejected', 'newOrder', refuse({ type: 'rejectedIdentifier', status: 400, detail: 'forbidden by policy' }));
    const { requests } = await fails(
      'rejected',
      'rejectedIdentifier',
      'RejectedIdentifierError',
      /forbidden by policy/,
    );
    expect(count(requests, 'newOrder')).toBe(1);
  });
});

describe('chains', () => {
  test.each([
    ['intermediate', 'wrongIntermediate', 'an intermediate that did not sign it'],
    ['key', 'anotherKey', 'a leaf for another key'],
    ['name-missing', 'missingName', 'a leaf that lacks a name'],
  ] as const)('%s: %s, once, is not stored', async (name, forgery, title) => {
    const forged = await makeForgedChains();
    script(name, 'certificate', chain(forged[forgery]));
    await succeeds(name, `${title}, once`);
  });

  test('a leaf for another key, for ever', async () => {
    const forged = await makeForgedChains();
    always('key-always', 'certificate', chain(forged.anotherKey));
    const mark = d.local.pebble.requests().length;
    const { run } = await renew('key-always', 'a leaf for another key, for ever');
    expect(run).toMatchObject({ status: 'FAILED', error: 'IssueCapError' });
    expect(run.cause).toContain(identifierOf('key-always'));
    const finalized = d.local.pebble.requests(mark).filter(({ path }) => path.startsWith('/finalize-order'));
    expect(finalized).toHaveLength(1);
  });

  test('a leaf with a name more is stored', async () => {
    const forged = await makeForgedChains();
    always('name-more', 'certificate', chain(forged.oneMoreName));
    await succeeds('name-more', 'a leaf with a name more');
    expect(new X509Certificate((await d.secret('name-more')).certificate).subjectAltName).toContain('one-more.example');
  });
});

describe('renewal information', () => {
  const idOf = async (name: string) => (await d.ledger(name)).current?.certificateId ?? '';
  async function ari(name: string, behaviour: Behaviour): Promise<void> {
    const id = await idOf(name);
    const matcher = ({ kind, url }: { kind: string; url: string }) => kind === 'renewalInfo' && url.endsWith(id);
    callOffs.push(boulder.next(matcher, behaviour, Number.POSITIVE_INFINITY));
  }

  test('that is bad is passed over: the dates serve, and nothing is ordered', async () => {
    const soon = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    for (const each of renewalInfos) await d.renew({ certificate: `ari-${each}`, force: true });
    await ari('ari-inverted', suggest({ start: soon.end, end: soon.start }));
    await ari('ari-missing', refuse({ type: 'malformed', status: 404, detail: 'no such certificate' }));
    await ari('ari-without-retry-after', suggest({ start: '2035-01-01T00:00:00Z', end: '2035-01-02T00:00:00Z' }, null));
    const mark = boulder.requests().length;
    await d.fleet();
    await d.idle();
    const asked = boulder.requests(mark);
    expect(count(asked, 'newOrder')).toBe(0);
    for (const each of renewalInfos) {
      const { renewalInfo } = await d.ledger(`ari-${each}`);
      const hours = (Date.parse(renewalInfo?.nextFetch ?? '') - Date.now()) / 3_600_000;
      expect(hours, each).toBeCloseTo(6, 0);
      if (each !== 'without-retry-after') expect(renewalInfo, each).toMatchObject({ start: null, end: null });
    }
    seen.push(
      `| renewalInfo with end before start; 404; no Retry-After | dates serve, nothing ordered | ${asked.length} |`,
    );
  });

  test('moved into the past renews at the next run, naming what is replaced', async () => {
    await d.renew({ certificate: 'due', force: true });
    const id = await idOf('due');
    const { certificate, serialNumber } = await d.secret('due');
    const suggestedWindow = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    await d.local.pebble.manage('POST', '/set-renewal-info/', {
      Certificate: certificate,
      ARIResponse: JSON.stringify({ suggestedWindow, explanationURL: 'https://ca.example/incident' }),
    });
    const mark = boulder.requests().length;
    await d.fleet();
    await d.idle();
    expect((await d.secret('due')).serialNumber).not.toBe(serialNumber);
    const [order] = boulder.requests(mark).filter(({ kind }) => kind === 'newOrder');
    expect(order?.payload?.replaces).toBe(id);
    seen.push(`| ARI moved into the past | renewed by the next run | ${boulder.requests(mark).length} |`);

    // What was said of the old certificate is nothing to the new one.
    const after = boulder.requests().length;
    await d.fleet();
    await d.idle();
    expect(count(boulder.requests(after), 'newOrder')).toBe(0);
  });
});

const commonNameOf = (pem: string) => /CN=(.+)/.exec(new X509Certificate(pem).subject)?.[1] ?? '';

/**
 * The fleet runs of the rest of the day, every six hours from the beginning of a renewal that failed: the ledger's time is brought
 * forward where it would be over by then. Returns how many of the three had something to try.
 */
async function fleetRunsUntilTomorrow(name: string, first: EndedExecution): Promise<number> {
  let tried = 0;
  const dynamodb = new DynamoDBClient(d.local.clientConfig);
  let clock = sum(retriesIn(first));
  let free = clock + (await notBefore(name)) / 1000;
  for (let fleetAt = 21_600; fleetAt < 86_400; fleetAt += 21_600) {
    if (fleetAt < Math.max(clock, free)) continue;
    const update = {
      TableName: Object.entries(d.outputs).find(([key]) => key.endsWith('LedgerTable'))?.[1],
      Key: { id: { S: `certificate#${name}` } },
      UpdateExpression: 'SET notBefore = :past',
      ExpressionAttributeValues: { ':past': { S: new Date(0).toISOString() } },
    };
    await dynamodb.send(new UpdateItemCommand(update));
    const known = new Set(await d.idle());
    await d.fleet();
    const news = (await d.idle()).filter((arn) => !known.has(arn));
    clock = fleetAt;
    tried += 1;
    for (const arn of news) clock += sum(retriesIn(await d.ended(arn)));
    free = clock + (await notBefore(name)) / 1000;
  }
  return tried;
}

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);

/** Waits until the execution is in this state. */
async function reaches(arn: string, state: string): Promise<void> {
  for (let looks = 0; looks < 600; looks += 1) {
    const states = (await readHistory(d.local, arn)).flatMap(
      ({ stateEnteredEventDetails: entered }) => entered?.name ?? [],
    );
    if (states.includes(state)) return;
    await sleep(50);
  }
  throw new Error(`${arn} did not reach ${state} in 30 s`);
}
