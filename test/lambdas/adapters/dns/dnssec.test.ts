import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import packet, { type Answer, type DecodedPacket, type Packet } from 'dns-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createDnssec } from '../../../../lambdas/adapters/dns/dnssec.ts';
import { freePort } from '../../../../local/processes.ts';
import { soa } from './scripted-server.ts';

interface Scripted {
  readonly code?: number;
  readonly status?: number;
  readonly authorities?: Answer[];
  /** RFC 8914 */
  readonly extendedError?: number;
  readonly extraText?: string;
}
interface Asked {
  readonly name: string;
  /** CD=0 */
  readonly checking: boolean;
  readonly request: IncomingMessage;
  readonly packet: DecodedPacket;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A resolver with DNS over HTTP, on loopback without TLS. */
async function resolver(script: (asked: Asked) => Scripted | null | Promise<Scripted>) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const query = packet.decode(Buffer.concat(chunks));
    const one = { name: query.questions?.[0]?.name ?? '', checking: !query.flag_cd, request, packet: query };
    asked.push(one);
    const scripted = await script(one);
    if (!scripted) return;
    response.writeHead(scripted.status ?? 200, { 'content-type': 'application/dns-message' });
    response.end(encode(query, scripted));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query`);
  return { dnssec: createDnssec({ resolver: url }), asked, url };
}

function encode(query: Packet, { code = 0, authorities = [], extendedError, extraText = '' }: Scripted): Buffer {
  const data = Buffer.from([0, extendedError ?? 0, ...Buffer.from(extraText)]);
  const options = extendedError === undefined ? [] : [{ code: 15, data }];
  const edns = { udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false };
  return packet.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: code,
    questions: query.questions ?? [],
    authorities,
    additionals: [{ type: 'OPT', name: '.', ...edns, options: options as never[] }],
  });
}

const bogus =
  (extendedError?: number, extraText = '') =>
  (asked: Asked): Scripted =>
    asked.checking
      ? { code: 2, ...(extendedError !== undefined && { extendedError, extraText }) }
      : { authorities: [soa('example.test')] };

describe('a name that validates', () => {
  test.each([
    ['NOERROR', 0],
    ['NXDOMAIN', 3],
  ])('has no warning: one question, answered %s', async (_, code) => {
    const { dnssec, asked } = await resolver(() => ({ code }));
    expect(await dnssec.warning('www.example.test')).toBeNull();
    expect(asked).toHaveLength(1);
    expect(asked[0]?.request).toMatchObject({
      method: 'POST',
      url: '/dns-query',
      headers: { 'content-type': 'application/dns-message', accept: 'application/dns-message' },
    });
    expect(asked[0]?.packet).toMatchObject({
      id: 0,
      flag_rd: true,
      flag_cd: false,
      questions: [{ name: 'www.example.test', type: 'CAA' }],
      additionals: [{ type: 'OPT', flag_do: true }],
    });
  });
});

describe('a name whose signatures are bogus', () => {
  test('has a warning that names it, the consequence and the records to look at', async () => {
    const { dnssec } = await resolver((asked) => (asked.name === 'test' ? {} : bogus(7)(asked)));
    expect(await dnssec.warning('www.example.test')).toBe(
      'DNSSEC validation of www.example.test fails (a signature has expired): CAs have to validate (CA/Browser Forum ballot SC-085v2) ' +
        'and will refuse. See that the DS records of example.test at its parent domain belong to the DNSKEY records in the zone, or ' +
        'remove the DS records.',
    );
  });

  test('has a warning about the topmost zone that fails', async () => {
    const { dnssec } = await resolver((asked) => {
      if (asked.name === 'test') return {};
      return asked.checking ? { code: 2 } : { authorities: [soa('sub.example.test')] };
    });
    const warning = await dnssec.warning('www.sub.example.test');
    expect(warning).toContain('the DS records of example.test at its parent domain');
    expect(warning).toContain('www.sub.example.test fails: CAs');
  });

  test('has none when the resolver only stumbled', async () => {
    let refused = 0;
    const { dnssec } = await resolver(({ checking }) => ({ code: checking && refused++ === 0 ? 2 : 0 }));
    expect(await dnssec.warning('www.example.test')).toBeNull();
  });
});

test('what a resolver says beside the code of a failure is in no warning', async () => {
  const { dnssec } = await resolver((asked) => (asked.name === 'test' ? {} : bogus(7, 'Run:\n"curl evil"')(asked)));
  expect(await dnssec.warning('www.example.test')).not.toMatch(/[\n"]|Run/);
});

describe('what is not about DNSSEC says nothing', () => {
  test.each([
    ['SERVFAIL whether it checks or not: servers that are down', () => ({ code: 2 })],
    ['SERVFAIL and then REFUSED', ({ checking }: Asked) => ({ code: checking ? 2 : 5 })],
    ['REFUSED', () => ({ code: 5 })],
  ])('%s', async (_, script) => {
    const { dnssec } = await resolver(script);
    expect(await dnssec.warning('www.example.test')).toBeNull();
  });
});

describe('a resolver that cannot be used is one mild warning', () => {
  test('when nobody listens', async () => {
    const url = new URL(`http://127.0.0.1:${await freePort()}/dns-query`);
    const dnssec = createDnssec({ resolver: url });
    const warnings = await Promise.all(['a.test', 'b.test', 'c.test'].map((name) => dnssec.warning(name)));
    expect(warnings.filter((warning) => warning !== null)).toEqual([
      expect.stringContaining(
        `DNSSEC was not looked at: the resolver ${url.href} cannot be used (connect ECONNREFUSED`,
      ),
    ]);
  });

  test.each([
    ['an HTTP error', { status: 415 }, 'it answered with HTTP status 415'],
    ['a redirection', { status: 302 }, 'redirect'],
  ])('for %s, and it is not asked again', async (_, scripted, why) => {
    const { dnssec, asked } = await resolver(() => scripted);
    expect(await dnssec.warning('a.test')).toContain(why);
    expect(await dnssec.warning('b.test')).toBeNull();
    expect(asked).toHaveLength(1);
  });

  test('when a hundred names take it more than ten seconds in all, and the step has not timed out', async () => {
    const timeout = AbortSignal.timeout;
    // Ten times as fast: 5 s for an answer become 500 ms, 10 s in all one.
    const faster = vi
      .spyOn(AbortSignal, 'timeout')
      .mockImplementation((delay) => timeout.call(AbortSignal, delay / 10));
    try {
      const { dnssec, url } = await resolver(async () => {
        await setTimeout(300);
        return {};
      });
      const started = performance.now();
      const names = Array.from({ length: 100 }, (_, index) => `n${index}.test`);
      const warnings = await Promise.all(names.map((name) => dnssec.warning(name)));
      expect(performance.now() - started).toBeLessThan(1_500);
      expect(warnings.filter((warning) => warning !== null)).toEqual([
        `DNSSEC was not looked at for all names: the resolver ${url.href} took more than 10 s for them.`,
      ]);
      expect(await dnssec.warning('later.test')).toBeNull();
    } finally {
      faster.mockRestore();
    }
  });

  test('when it is silent, after five seconds', { timeout: 10_000 }, async () => {
    const { dnssec } = await resolver(() => null);
    const started = performance.now();
    expect(await dnssec.warning('a.test')).toContain('timeout');
    expect(performance.now() - started).toBeLessThan(6_000);
  });
});
