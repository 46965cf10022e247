import { describe, expect, test } from 'vitest';
import { parseEvent } from '../../../../lambdas/domain/contract/events.ts';
import { details, failed, renewed } from '../../../fakes/events.ts';

const event = (detailType: string, detail: unknown) => ({ source: 'perennial', 'detail-type': detailType, detail });

test.each(Object.entries(details))('"%s" is read with its detail', (detailType, detail) => {
  expect(parseEvent({ ...event(detailType, detail), account: '111122223333' })).toEqual({ detailType, detail });
});

test('the detail type of an event determines the type of its detail', () => {
  const parsed = parseEvent(event('Certificate Renewed', renewed));
  if (parsed.detailType !== 'Certificate Renewed') throw new Error(parsed.detailType);
  expect(parsed.detail.current.notAfter).toBe(renewed.current.notAfter);
});

describe('parseEvent rejects', () => {
  test.each([
    ['an event of another source', { ...event('Certificate Renewed', renewed), source: 'aws.acm' }, /of aws\.acm/],
    ['another event of this source', event('Certificate Forgotten', {}), /Certificate Forgotten/],
    ['null', null, /undefined of undefined/],
  ])('%s', (_, given, message) => {
    expect(() => parseEvent(given)).toThrow(message);
  });

  test('an event with missing or invalid members, and names them', () => {
    const { attempt: _, ...less } = failed;
    expect(() => parseEvent(event('Certificate Renewal Failed', { ...less, nextAttempt: 7 }))).toThrow(
      'missing or invalid members: attempt, nextAttempt.',
    );
  });
});
