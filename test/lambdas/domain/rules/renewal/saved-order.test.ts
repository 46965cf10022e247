import { expect, test } from 'vitest';
import type { SavedOrder } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import { unusableOrderReason } from '../../../../../lambdas/domain/rules/renewal/saved-order.ts';
import { execution, factsWith, issuer, specWith } from '../../../../fakes/specs.ts';

const now = new Date('2026-03-02T12:00:00Z');
const spec = specWith();
const order: SavedOrder = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: '2026-03-02T12:00:01Z',
  execution,
  specHash: spec.specHash,
  directoryUrl: issuer.directoryUrl,
};

test.each<[string, Partial<SavedOrder>, string | null]>([
  ['valid', {}, null],
  ['without a date', { expires: null }, null],
  ['expired', { expires: '2026-03-02T12:00:00Z' }, 'it expired on 2026-03-02T12:00:00Z'],
  ['for another configuration', { specHash: 'other' }, 'the configuration has changed since'],
  [
    'of another CA',
    { directoryUrl: 'https://other.test/directory' },
    'test-ca is used now, and the order is at another issuer',
  ],
  ['of the current certificate', { url: 'https://ca.test/order/0' }, 'its certificate is stored'],
])('a saved order that is %s', (_, fields, why) => {
  expect(unusableOrderReason({ ...order, ...fields }, spec, factsWith(), now)).toBe(why);
});

test('a saved order of a certificate that was never stored is resumed', () => {
  expect(unusableOrderReason({ ...order, url: 'https://ca.test/order/0' }, spec, null, now)).toBeNull();
});
