import { describe, expect, test } from 'vitest';
import { InvalidInputError } from '../../../../lambdas/domain/contract/errors.ts';
import {
  interruptedExecution,
  parseRequest,
  parseRestart,
} from '../../../../lambdas/domain/contract/renewal-request.ts';

test.each([
  [{ certificate: 'www' }, { certificate: 'www', force: false, deploy: false, cleanUp: false, restartOf: null }],
  [
    { certificate: 'www', force: true },
    { certificate: 'www', force: true, deploy: false, cleanUp: false, restartOf: null },
  ],
  [
    { certificate: 'www', force: false },
    { certificate: 'www', force: false, deploy: false, cleanUp: false, restartOf: null },
  ],
  [
    { certificate: 'www', deploy: true },
    { certificate: 'www', force: false, deploy: true, cleanUp: false, restartOf: null },
  ],
])('accepts %j', (input, request) => {
  expect(parseRequest(input)).toEqual(request);
});

const dead = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-1';

describe('the restart of an interrupted execution', () => {
  test.each([
    '{"certificate":"www"}',
    '{"certificate":"www","force":true}',
    ' {"force":false,"certificate":"www"} ',
    '{"certificate":"www","deploy":true}',
  ])('with the input %s has the same certificate, is not forced, and no deployment waits for it', (input) => {
    const request = { certificate: 'www', force: false, deploy: false, cleanUp: false, restartOf: dead };
    expect(parseRestart(dead, input)).toEqual(request);
  });

  test('is not restarted again', () => {
    const input = JSON.stringify({ restartOf: 'arn:of-the-first' });
    expect(() => parseRestart(dead, input)).toThrow(InvalidInputError);
    expect(() => parseRestart(dead, input)).toThrow(`${dead} was a restart itself`);
  });

  test.each([
    ['{"name":"www"}', 'name'],
    ['not JSON', 'input'],
    ['null', 'input'],
  ])('with the input %s is rejected with the field %s', (input, where) => {
    expect(() => parseRestart(dead, input)).toThrow(InvalidInputError);
    expect(() => parseRestart(dead, input)).toThrow(where);
  });

  test('is recognized by its ARN alone', () => {
    expect(interruptedExecution({ restartOf: dead })).toBe(dead);
    for (const input of [null, 'www', { certificate: 'www' }]) expect(interruptedExecution(input)).toBeNull();
  });

  test.each([
    [{ restartOf: '' }, 'restartOf'],
    [{ restartOf: null }, 'restartOf'],
    [{ restartOf: dead, input: '{"certificate":"www"}' }, 'input'],
    [{ restartOf: dead, force: true }, 'force'],
  ])('%j is rejected with the field %s', (input, where) => {
    expect(() => interruptedExecution(input)).toThrow(InvalidInputError);
    expect(() => interruptedExecution(input)).toThrow(where);
  });
});

describe('an invalid input', () => {
  test.each([
    [undefined, 'input'],
    [null, 'input'],
    ['www', 'input'],
    [['www'], 'input'],
    [{}, 'certificate'],
    [{ certificate: '' }, 'certificate'],
    [{ certificate: 7 }, 'certificate'],
    [{ certificate: 'www', force: 'yes' }, 'force'],
    [{ certificate: 'www', deploy: 1 }, 'deploy'],
    [{ certificate: 'www', forced: true }, 'forced'],
  ])('%j is rejected with the field %s', (input, where) => {
    expect(() => parseRequest(input)).toThrow(InvalidInputError);
    expect(() => parseRequest(input)).toThrow(where);
    expect(() => parseRequest(input)).toThrow('Give {"certificate": "www"}');
  });

  test('is rejected with the fault and not only the field', () => {
    expect(() => parseRequest({ certificate: 7 })).toThrow(/certificate: .*string.*number/);
    expect(() => parseRequest({ certificate: 'www', force: 'yes' })).toThrow(/force: .*boolean.*string/);
  });
});
