import { describe, expect, test } from 'vitest';
import { InvalidInputError } from '../../../lambdas/rules/errors.ts';
import { parseRequest } from '../../../lambdas/rules/request.ts';

test.each([
  [{ certificate: 'www' }, { certificate: 'www', force: false }],
  [
    { certificate: 'www', force: true },
    { certificate: 'www', force: true },
  ],
  [
    { certificate: 'www', force: false },
    { certificate: 'www', force: false },
  ],
])('%j is understood', (input, request) => {
  expect(parseRequest(input)).toEqual(request);
});

describe('refused, with what is wanted', () => {
  test.each([
    [undefined, 'input'],
    [null, 'input'],
    ['www', 'input'],
    [['www'], 'input'],
    [{}, 'certificate'],
    [{ certificate: '' }, 'certificate'],
    [{ certificate: 7 }, 'certificate'],
    [{ certificate: 'www', force: 'yes' }, 'force'],
    [{ certificate: 'www', forced: true }, 'forced'],
  ])('%j, naming %s', (input, where) => {
    expect(() => parseRequest(input)).toThrow(InvalidInputError);
    expect(() => parseRequest(input)).toThrow(where);
    expect(() => parseRequest(input)).toThrow('Give {"certificate": "www"}');
  });

  test('saying what is wrong, not only where', () => {
    expect(() => parseRequest({ certificate: 7 })).toThrow(/certificate: .*string.*number/);
    expect(() => parseRequest({ certificate: 'www', force: 'yes' })).toThrow(/force: .*boolean.*string/);
  });
});
