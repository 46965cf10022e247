import { describe, expect, test } from 'vitest';
import { counted, withMinutes } from '../../../../lambdas/domain/rules/wording.ts';

test.each([
  [counted(0, 'certificate'), '0 certificates'],
  [counted(1, 'certificate'), '1 certificate'],
  [counted(2500, 'certificate'), '2,500 certificates'],
  [counted(1, 'certificate needs', 'certificates need'), '1 certificate needs'],
  [counted(2, 'certificate needs', 'certificates need'), '2 certificates need'],
  [counted(1.5, 'hour'), '1.5 hours'],
])('a number has its noun: %s', (text, expected) => {
  expect(text).toBe(expected);
});

describe('a sentence for operators', () => {
  test.each([
    ['renewal is due 2027-01-28T18:54:40.000Z', 'renewal is due 2027-01-28 18:54 UTC'],
    ['It expired at 2027-01-28T18:54:40Z.', 'It expired at 2027-01-28 18:54 UTC.'],
    ['(2027-01-28T18:54Z to 2027-01-29T00:00:00Z)', '(2027-01-28 18:54 UTC to 2027-01-29 00:00 UTC)'],
  ])('has its times to the minute: %s', (sentence, expected) => {
    expect(withMinutes(sentence)).toBe(expected);
  });

  test.each([
    'https://ca.example/2027-01-28T18:54:40Z/order',
    'the execution www-2027-01-28T18:54:40Z',
    '2027-01-28T18:54:40+02:00',
    '2027-01-28',
  ])('keeps links, names and other times: %s', (sentence) => {
    expect(withMinutes(sentence)).toBe(sentence);
  });
});
