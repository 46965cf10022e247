import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import { authorities } from '../../../fakes/certificate-authority.ts';
import { makeLeaf, makePrivateKey, pemOf } from '../../../fakes/certificates.ts';
import { execution, specWith } from '../../../fakes/specs.ts';
import type { World } from '../../../fakes/world.ts';
import {
  type Answer,
  type AnswerTo,
  type ScriptedCa,
  startScriptedCa,
} from '../../../lambdas/adapters/acme/scripted-ca.ts';
import { renew, request, world } from './renewal-in-memory.ts';

/** Whole renewals at a CA whose replies differ slightly from RFC 8555, with the real ACME client. */

const identifiers = ['*.example.com', 'example.com'];

type Json = Readonly<Record<string, unknown>>;

/** The changes of one case to the replies of a correct CA. */
interface Oddity {
  /** The names of the certificate. @default ['*.example.com', 'example.com'] */
  readonly names?: readonly string[];
  /** Changes the authorization with this index, beginning with 0. */
  readonly authorization?: (body: Json, index: number, ca: ScriptedCa) => Json;
  /** Changes the order, for which these authorizations are valid. `reads` counts how often it was read before. */
  readonly order?: (body: Json, reads: number) => Json;
  /** The status of the authorizations of a new order. @default 'pending' */
  readonly status?: string;
  readonly location?: string;
  readonly chain?: (leaf: string, intermediate: string, root: string) => string;
  /** Distinguished name of the issued certificate. */
  readonly subject?: string;
}

/** Scripts a correct CA that issues for `identifiers`, and applies the changes. */
function scriptCa(ca: ScriptedCa, { secrets }: World, oddity: Oddity): void {
  const { authorization = (body) => body, order = (body) => body, status = 'pending', names = identifiers } = oddity;
  const valid = new Set<number>(status === 'valid' ? names.keys() : []);
  let finalized = false;
  let reads = 0;
  const orderBody = () => ({
    status: finalized ? 'valid' : valid.size === names.length ? 'ready' : 'pending',
    finalize: ca.url('/finalize'),
    authorizations: names.map((_, index) => ca.url(`/authorization/${index}`)),
    ...(finalized && { certificate: ca.url('/certificate') }),
  });
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/1') } });
  ca.script('/new-order', () => ({
    status: 201,
    headers: { location: oddity.location ?? ca.url('/order') },
    body: order(orderBody(), -1),
  }));
  ca.script('/order', () => {
    reads += 1;
    return { body: order(orderBody(), reads - 1) };
  });
  for (const [index, identifier] of names.entries()) {
    ca.script(`/authorization/${index}`, () => {
      const state = valid.has(index) ? 'valid' : status;
      const body = {
        status: state,
        identifier: { type: 'dns', value: identifier.replace('*.', '') },
        ...(identifier.startsWith('*.') && { wildcard: true }),
        challenges: [{ type: 'dns-01', url: ca.url(`/challenge/${index}`), status: state, token: `token-${index}` }],
      };
      return { body: authorization(body, index, ca) };
    });
    ca.script(`/challenge/${index}`, () => {
      valid.add(index);
      return { body: {} };
    });
  }
  ca.script('/finalize', () => {
    if (order(orderBody(), reads).status === 'pending')
      return { status: 403, body: { type: 'urn:ietf:params:acme:error:orderNotReady' } };
    finalized = true;
    return { body: order(orderBody(), -1) };
  });
  ca.script('/certificate', async () => {
    const { root, intermediate } = await authorities();
    const privateKey = (await secrets.stagedKey('www', ca.url('/order'))) ?? makePrivateKey();
    const { subject } = oddity;
    const leaf = await makeLeaf(intermediate, {
      identifiers: names,
      privateKey,
      ...(subject !== undefined && { subject }),
    });
    const chain = oddity.chain ?? ((...[end, issuer]) => end + issuer);
    return { body: chain(leaf, pemOf(intermediate.certificate), pemOf(root.certificate)) };
  });
}

let ca: ScriptedCa;
let acme: ReturnType<typeof createAcme>;
let w: World;
beforeEach(async () => {
  ca = await startScriptedCa();
  w = world();
  acme = createAcme({ userAgent: 'perennial/test', now: () => w.clock.now() });
  Object.assign(w.ports, { acme });
});
afterEach(async () => {
  acme.close();
  await ca.stop();
});

const renewal = ({ names = identifiers }: Oddity = {}) =>
  renew(w, { input: request, arn: execution, configured: specWith({ identifiers: names, issuer: ca.issuer }) });

const pathOf = (url: unknown): string => new URL(String(url)).pathname;

const value = (text: string) => ({ identifier: { type: 'dns', value: text } });

describe('a certificate is issued by a CA that', () => {
  test.each<[string, Oddity]>([
    ['replies as RFC 8555 says', {}],
    [
      'keeps the star in the identifier, beside the flag of a wildcard',
      { authorization: (body, index) => ({ ...body, ...value(identifiers[index] ?? '') }) },
    ],
    [
      'keeps the star in the identifier, without the flag of a wildcard',
      { authorization: ({ wildcard, ...body }, index) => ({ ...body, ...value(identifiers[index] ?? '') }) },
    ],
    [
      'returns a wildcard without its flag',
      { names: ['*.example.com'], authorization: ({ wildcard, ...body }) => body },
    ],
    ['returns a wildcard without its flag, beside its domain', { authorization: ({ wildcard, ...body }) => body }],
    [
      'sends URLs that are relative to that of the object',
      {
        order: ({ finalize, authorizations, certificate, ...body }) => ({
          ...body,
          finalize: pathOf(finalize),
          authorizations: (authorizations as readonly string[]).map(pathOf),
          ...(certificate !== undefined && { certificate: pathOf(certificate) }),
        }),
        authorization: ({ challenges, ...body }) => ({
          ...body,
          challenges: (challenges as readonly Json[]).map((each) => ({ ...each, url: pathOf(each.url) })),
        }),
      },
    ],
    [
      'sends authorizations with a pending order only',
      { order: (body) => (body.status === 'pending' ? body : { ...body, authorizations: null }) },
    ],
    ['returns an identifier in upper case', { authorization: (body) => ({ ...body, ...value('EXAMPLE.com') }) }],
    ['returns an identifier with a trailing dot', { authorization: (body) => ({ ...body, ...value('example.com.') }) }],
    [
      'lists an invalid dns-01 challenge before a pending one',
      {
        authorization: ({ challenges, ...body }, _, { url }) => ({
          ...body,
          challenges: [
            { type: 'dns-01', url: url('/old'), status: 'invalid', token: 'old' },
            ...(challenges as readonly Json[]),
          ],
        }),
      },
    ],
    [
      'returns a pending order whose authorizations are all valid, which is ready later',
      {
        status: 'valid',
        order: (body, reads) => (reads < 3 && body.status === 'ready' ? { ...body, status: 'pending' } : body),
      },
    ],
    [
      'makes an order valid before it has a certificate',
      { order: ({ certificate, ...body }, reads) => (reads < 3 ? body : { ...body, certificate }) },
    ],
    ['sends the issuer before the leaf', { chain: (leaf, intermediate) => intermediate + leaf }],
    ['sends the leaf last, after the root', { chain: (leaf, intermediate, root) => root + intermediate + leaf }],
    ['issues a certificate without a subject', { subject: '' }],
  ])('%s', async (_, oddity) => {
    scriptCa(ca, w, oddity);
    const { status, entered } = await renewal(oddity);
    expect(status).toBe('SUCCEEDED');
    expect(entered).not.toContain('Record failure');
    const { current, order, leftovers } = w.ledger.get('www');
    expect(current).toMatchObject({ identifiers: oddity.names ?? identifiers, issuer: 'CN=Test Intermediate' });
    expect(current).not.toHaveProperty('warnings');
    expect({ order, leftovers }).toEqual({ order: null, leftovers: [] });
    expect(ca.requests.some(({ path }) => path === '/old')).toBe(false);
  });

  test('sends a Location that is relative to newOrder', async () => {
    scriptCa(ca, w, { location: 'order' });
    expect(await renewal()).toMatchObject({ status: 'SUCCEEDED' });
    expect(w.ledger.get('www').current?.orderUrl).toBe(ca.url('/order'));
  });

  test.each([301, 302, 303, 307, 308])('redirects its directory with HTTP %i', async (status) => {
    scriptCa(ca, w, {});
    const moved = ca.url('/directory');
    ca.script('/old-directory', { status, headers: { location: 'moved' } });
    ca.script('/moved', { status, headers: { location: moved } });
    const issuer = { ...ca.issuer, directoryUrl: ca.url('/old-directory') };
    const configured = specWith({ identifiers, issuer });
    expect(await renew(w, { input: request, arn: execution, configured })).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('the failure names the reply of a CA that', () => {
  test.each<[string, Oddity, string, string]>([
    ...(['invalid', 'expired', 'revoked', 'deactivated'] as const).map((status): [string, Oddity, string, string] => [
      `returns a new order with an authorization that is ${status}`,
      { status },
      'OrderInvalidError',
      `The CA returned a new order that cannot be completed. Its authorization of *.example.com is ${status} already. The next attempt places a new order.`,
    ]),
    [
      'returns a new order with an invalid authorization, and the problem of an earlier validation',
      {
        status: 'invalid',
        authorization: ({ challenges, ...body }) => ({
          ...body,
          challenges: (challenges as readonly Json[]).map((each) => ({
            ...each,
            error: { type: 'urn:ietf:params:acme:error:dns', detail: 'SERVFAIL looking up TXT' },
          })),
        }),
      },
      'OrderInvalidError',
      'Its authorization of *.example.com is invalid already. The CA says: SERVFAIL looking up TXT.',
    ],
    [
      'has only a failed dns-01 challenge in a pending authorization',
      {
        authorization: ({ challenges, ...body }) => ({
          ...body,
          challenges: (challenges as readonly Json[]).map((each) => ({ ...each, status: 'invalid' })),
        }),
      },
      'NoDnsChallengeError',
      'The authorization is pending and offers dns-01 (invalid).',
    ],
    [
      'returns an authorization of a name that was not ordered',
      { authorization: (body) => ({ ...body, ...value('example.org') }) },
      'OrderInvalidError',
      'It has an authorization for *.example.org, which was not ordered.',
    ],
    [
      'leaves an order pending although its authorizations are valid',
      { status: 'valid', order: (body) => ({ ...body, status: 'pending' }) },
      'OrderTimeoutError',
      'did not become ready within 15 minutes. Its status at scripted is pending, although all its authorizations are valid.',
    ],
    [
      'never names the certificate of a valid order',
      { order: ({ certificate, ...body }) => body },
      'OrderTimeoutError',
      'did not have the URL of a certificate within 30 minutes. Its status at scripted is valid.',
    ],
    [
      'sends no leaf',
      { chain: (_, intermediate, root) => intermediate + root },
      'CertificateMismatchError',
      'The reply contains certificates of CAs only.',
    ],
  ])('%s', async (_, oddity, error, sentence) => {
    scriptCa(ca, w, oddity);
    await renewal(oddity);
    const { failure } = w.ledger.get('www');
    expect(failure?.error).toBe(error);
    expect(failure?.cause).toContain(sentence);
  });

  test('redirects its directory without an end', async () => {
    ca.script('/directory', { status: 302, headers: { location: 'directory' } });
    await renewal();
    expect(w.ledger.get('www').failure).toMatchObject({
      error: 'CaUnavailableError',
      cause: expect.stringMatching(/refused its directory .*HTTP 302.*Check the directory URL\./),
    });
  });
});

test('a directory may have URLs that are relative to its own, which are those of the last redirect', async () => {
  scriptCa(ca, w, {});
  const [own, path] = [ca.url('/moved/directory'), (of: string) => `..${of}`];
  ca.script('/directory', { status: 301, headers: { location: own } });
  ca.script('/moved/directory', {
    body: { newNonce: path('/new-nonce'), newAccount: path('/new-account'), newOrder: path('/new-order') },
  });
  expect(await renewal()).toMatchObject({ status: 'SUCCEEDED' });
});

/** Scripts a correct CA that refuses the first requests to a path. Returns all requests with their times in seconds, also later ones. */
function refuseFirst(path: string, count: number, refusal: Answer) {
  const requests: { readonly path: string; readonly at: number }[] = [];
  let left = count;
  const { script } = ca;
  Object.assign(ca, {
    script: (scripted: string, answer: AnswerTo | Answer) =>
      script(scripted, (received) => {
        requests.push({ path: scripted, at: w.clock.now().getTime() / 1000 });
        if (scripted !== path || left === 0) return typeof answer === 'function' ? answer(received) : answer;
        left -= 1;
        return refusal;
      }),
  });
  scriptCa(ca, w, {});
  return requests;
}

const renewalWithRetries = () => {
  const configured = specWith({ identifiers, issuer: ca.issuer });
  return renew(w, { input: request, arn: execution, configured, retries: true });
};

test('each attempt places one order at a CA whose orders cannot be used', async () => {
  scriptCa(ca, w, { authorization: (body) => ({ ...body, ...value('example.org') }) });
  const { entered } = await renewalWithRetries();
  const attempts = entered.filter((state) => state === 'Check renewal').length;
  expect(attempts).toBe(4);
  expect(ca.requests.filter(({ path }) => path === '/new-order')).toHaveLength(attempts);
});

test('one order is placed if its authorizations cannot be read in three attempts, and the fourth attempt completes it', async () => {
  const requests = refuseFirst('/authorization/1', 14, { status: 502, body: 'Bad Gateway' });
  const { status, entered } = await renewalWithRetries();
  expect(status).toBe('SUCCEEDED');
  expect(entered.filter((state) => state === 'Record failure')).toHaveLength(3);
  expect(requests.filter(({ path }) => path === '/new-order')).toHaveLength(1);
  expect(w.ledger.get('www')).toMatchObject({ order: null, leftovers: [], failure: null });
});

test('a CSR is sent again if one server of the CA does not know yet that the order is ready', async () => {
  const orderNotReady = { status: 403, body: { type: 'urn:ietf:params:acme:error:orderNotReady' } };
  const requests = refuseFirst('/finalize', 3, orderNotReady);
  const { status, entered } = await renewalWithRetries();
  expect(status).toBe('SUCCEEDED');
  expect(entered).not.toContain('Record failure');
  expect(requests.filter(({ path }) => path === '/finalize')).toHaveLength(4);
});

describe('after HTTP 500 with a Retry-After of two minutes, nothing is sent to the CA before that time', () => {
  test.each(['/new-account', '/new-order', '/authorization/1', '/challenge/0', '/order', '/finalize', '/certificate'])(
    'at %s',
    async (path) => {
      const refusal = { status: 500, headers: { 'retry-after': '120' }, body: 'overloaded' };
      const requests = refuseFirst(path, 1, refusal);
      const { status, entered } = await renewalWithRetries();

      expect(status).toBe('SUCCEEDED');
      expect(entered.filter((state) => state === 'Record failure')).toHaveLength(1);
      const index = requests.findIndex((each) => each.path === path);
      expect((requests[index + 1]?.at ?? 0) - (requests[index]?.at ?? 0)).toBeGreaterThanOrEqual(120);
    },
  );
});
