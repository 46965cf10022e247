import type { Answer } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { stepHandler } from '../../../../lambdas/adapters/aws/lambda/step-handler.ts';
import { createAuthoritativeDns } from '../../../../lambdas/adapters/dns/authoritative.ts';
import { createNameServers } from '../../../../lambdas/adapters/dns/name-servers.ts';
import { checkPropagation } from '../../../../lambdas/challenge/check-propagation.ts';
import { checkZones } from '../../../../lambdas/challenge/check-zones.ts';
import { recordFailure } from '../../../../lambdas/check/record-failure.ts';
import type { RecordedAccount } from '../../../../lambdas/domain/contract/certificate-facts.ts';
import { longestMessage, readErrorOutput } from '../../../../lambdas/domain/contract/failure.ts';
import { stepFormat } from '../../../../lambdas/domain/contract/steps.ts';
import { errorOutputOf } from '../../../fakes/error-output.ts';
import { configOf, execution, run, specWith } from '../../../fakes/specs.ts';
import { createWorld } from '../../../fakes/world.ts';
import { expectPrintable, hostileText } from '../../hostile-text.ts';
import { type Script, type ScriptedServer, serve, soa } from './scripted-server.ts';

/** The only DNS server. It is authoritative for all names, and each run of a property gives it a script. */
let server: ScriptedServer;
let script: Script;
beforeAll(async () => {
  server = await serve((asked) => script(asked));
});
afterAll(() => server.close());

let lines: string[] = [];
beforeEach(() => {
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(String(chunk)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Bytes that need not be text. */
const bytes = (longest: number) =>
  fc
    .oneof(
      hostileText.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 80 }).map((each) => Buffer.from(each)),
      fc.constantFrom('issue', 'issuewild', 'ca.test', 'other.test', '; accounturi=x').map((text) => Buffer.from(text)),
      fc.constantFrom(' ', ';', '"', '\u202e', 'a.').map((text) => Buffer.from(text.repeat(longest))),
    )
    .map((each) => each.subarray(0, longest));

const withLength = (each: Buffer) => Buffer.concat([Buffer.from([each.length]), each]);

/** A name whose labels have any bytes, full stops and line breaks included. */
const name = fc
  .array(
    fc.oneof(
      bytes(63).filter(({ length }) => length > 0),
      fc.constantFrom('www', 'example', 'com').map((label) => Buffer.from(label)),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((labels) => Buffer.concat([...labels.map(withLength), Buffer.from([0])]));
const caa = fc
  .tuple(fc.constantFrom(0, 1, 128, 255), bytes(40), bytes(7000))
  .map(([flags, tag, value]) => Buffer.concat([Buffer.from([flags]), withLength(tag), value]));
const txt = fc
  .array(bytes(255), { minLength: 1, maxLength: 30 })
  .map((strings) => Buffer.concat(strings.map(withLength)));

/** Types of records by their numbers. RFC 1035 §3.2.2, RFC 8659 §4.1 */
const numbers = { CAA: 257, CNAME: 5, NS: 2, TXT: 16 } as const;
type Type = keyof typeof numbers;

/** The replies to the questions for one type: another code, none of these records, or some with this data. */
interface TypeReply {
  readonly code: number;
  readonly data: readonly Buffer[];
}
const replyWith = (data: fc.Arbitrary<Buffer>, maxLength: number): fc.Arbitrary<TypeReply> =>
  fc.record({
    code: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 15 })),
    data: fc.oneof(fc.constant([]), fc.array(data, { minLength: 1, maxLength })),
  });
const replies = fc.record({
  byType: fc.record({
    CAA: replyWith(caa, 8),
    CNAME: replyWith(name, 2),
    NS: replyWith(name, 30),
    TXT: replyWith(txt, 3),
  }),
  primary: hostileText,
});

function scriptOf(byType: Readonly<Record<Type, TypeReply>>, primary: string): Script {
  return ({ name: asked, type, protocol }) => {
    const { code, data } = byType[type as Type];
    // dns-packet writes the data of a type with such a name as it is.
    const answers = data.map((each) => ({ type: `UNKNOWN_${numbers[type as Type]}`, name: asked, data: each }));
    const size = data.reduce((sum, { length }) => sum + length + 300, 0);
    if (size > 1000 && protocol === 'udp') return { truncated: true };
    const authority = { ...soa(asked), data: { mname: primary.slice(0, 20), rname: 'admin.test' } };
    return { code, answers: answers as unknown as Answer[], authorities: [authority as Answer] };
  };
}

const unknownHost = () => Promise.reject(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }));
const createResolver = () => ({ resolve4: unknownHost, resolve6: unknownHost, cancel: () => undefined });

const challengeZones = [{ id: 'Z1', name: 'example.com' }];
const spec = specWith({ identifiers: ['example.com', '*.www.example.com'], hostedZones: challengeZones });
const account: RecordedAccount = {
  url: 'https://ca.test/account/1',
  caaIdentities: ['ca.test'],
  readAt: '2026-03-01T11:00:00.000Z',
};

/** Calls a step as Lambda does. Checks its log and its output or error, and what *Record failure* makes of an error for the event. */
async function expectHarmless(step: Parameters<typeof stepHandler>[0], input: object): Promise<void> {
  lines = [];
  const event = { format: stepFormat, run: { ...run, attempt: 1, order: null }, input };
  const [name = ''] = Object.keys(step(undefined as never, () => undefined));
  const result = await stepHandler(step)({ step: name as never, ...event }).catch((error: unknown) => error);
  for (const line of lines) expectPrintable(JSON.parse(line));
  if (!(result instanceof Error)) {
    expectPrintable(result);
    return expect(JSON.stringify(result).length).toBeLessThan(10_000);
  }
  expect(result.name).not.toBe('UnexpectedError');
  const output = errorOutputOf(result);
  expect(output.Cause.length).toBeLessThan(32_768);
  expectPrintable(readErrorOutput(output));
  const world = createWorld();
  world.ledger.put('www', { lease: execution, leasedAt: '2026-03-01T11:59:00.000Z' });
  const { ports } = world;
  const failed = { attempt: 1, spec, errorOutput: output, announced: null, removed: [], deploy: false };
  const detail = await recordFailure(
    { ...run, ...failed, startedAt: '2026-03-01T11:59:00.000Z' },
    { ...ports, config: configOf(spec) },
  );
  expectPrintable([detail, world.ledger.get('www')]);
  expect(detail.cause.length).toBeLessThanOrEqual(longestMessage);
}

describe('what DNS servers send', () => {
  test.each(['internet', 'laboratory'] as const)(
    'is short and printable in logs, causes and events of Check zones, whatever it is (%s)',
    async (reach) => {
      await fc.assert(
        fc.asyncProperty(
          replies,
          fc.constantFrom(account, { ...account, readAt: null }, null),
          async ({ byType, primary }, known) => {
            script = scriptOf(byType, primary);
            const { ports, hostedZones } = createWorld();
            hostedZones.addZone('Z1', ['ns1.example.net']);
            const dns = createAuthoritativeDns({ rootServers: [server.address], reach, createResolver });
            await expectHarmless(
              (log) => ({ checkZones: (input: object) => checkZones(input as never, { ...ports, dns, log }) }),
              { spec, challengeZones, account: known },
            );
          },
        ),
      );
    },
  );

  test('is short and printable in logs, causes and events of Check propagation, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(replies, fc.constantFrom(0, 900), async ({ byType, primary }, waited) => {
        script = scriptOf(byType, primary);
        const { ports } = createWorld();
        const records = [{ hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'abc' }];
        const input = { records, changes: [], zoneServers: { Z1: [server.address] }, waited };
        await expectHarmless(
          () => ({
            checkPropagation: (all: object) =>
              checkPropagation(all as never, { ...ports, nameServers: createNameServers() }),
          }),
          input,
        );
      }),
    );
  });
});
