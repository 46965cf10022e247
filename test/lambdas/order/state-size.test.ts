import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrderInvalidError } from '../../../lambdas/domain/contract/errors.ts';
import { caaLines } from '../../../lambdas/domain/rules/proof/caa.ts';
import { authorizationsOf, pendingChallengesOf } from '../../../lambdas/order/pending-challenges.ts';
import { answerAgain } from '../../../lambdas/order/refused-challenges.ts';
import { specWith } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';

/** The state of the workflow stays below this, far from the limit of Step Functions. */
const largestState = 64 * 1024;
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const urlOf = (length: number, index: number) => `https://ca.example/${index}/`.padEnd(length, 'x');

/** The authorizations of an order for up to 100 names, with URLs of up to the longest length. */
const authorizations = fc
  .tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 30, max: 2048 }), fc.constantFrom('pending', 'processing'))
  .map(([count, length, status]) =>
    Array.from({ length: count }, (_, index) => ({
      url: urlOf(length, index),
      status: 'pending',
      identifier: `name-${index}.example.com`,
      challenges: [
        { type: 'dns-01', url: urlOf(length, index), status, token: 'token', error: { type: 'about:blank' } },
      ],
    })),
  );

describe('the state after a reply of a CA', () => {
  test('has less than 64 KB of challenges and records, or the reply is refused', async () => {
    const { ca } = createWorld();
    fc.assert(
      fc.property(authorizations, (given) => {
        const identifiers = given.map(({ identifier }) => identifier);
        const challengeRecords = identifiers.map((identifier) => ({
          identifier,
          hostedZoneId: 'Z0123456789ABCDEFGHIJ',
          name: `_acme-challenge.${identifier}`,
        }));
        try {
          const state = pendingChallengesOf(given, { spec: specWith({ identifiers }), challengeRecords }, ca);
          expect(state.challenges).toHaveLength(given.length);
          expect(bytes(state)).toBeLessThan(largestState);
        } catch (error) {
          if (!(error instanceof OrderInvalidError)) throw error;
          const [{ url = '' } = {}] = given;
          expect(2 * url.length * given.length).toBeGreaterThan(24_000);
        }
      }),
    );
  });

  test('has room for the challenges that are answered a second time', async () => {
    const answering = Object.assign(createWorld().ca, { respond: async () => {} });
    await fc.assert(
      fc.asyncProperty(authorizations, async (given) => {
        const answered = await answerAgain(given, { readAfter: 0, answered: [] }, answering);
        expect(bytes(answered)).toBeLessThan(largestState);
        expect(bytes(await answerAgain(given, { readAfter: 0, answered }, answering))).toBeLessThan(largestState);
      }),
    );
  });

  test('has room for the CAA records of an account with many names', () => {
    const caaIdentities = Array.from({ length: 50 }, (_, index) => `${'x'.repeat(30)}${index}.example`);
    const lines = caaLines({ url: urlOf(2048, 1), caaIdentities }, 'dns-01');
    expect(lines.length).toBeGreaterThan(0);
    expect(bytes(lines)).toBeLessThan(8_000);
  });
});

test('an order with more authorizations than names is refused before they are read', async () => {
  const { ca } = createWorld();
  const order = await ca.newOrder({ identifiers: ['example.com'], profile: null });
  const many = { ...order, authorizations: [...order.authorizations, 'https://ca.test/another'] };
  await expect(authorizationsOf(many, specWith(), ca)).rejects.toThrow('has 2 authorizations for 1 name.');
});
