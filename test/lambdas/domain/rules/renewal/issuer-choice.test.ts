import { describe, expect, test } from 'vitest';
import { setHash } from '../../../../../lambdas/domain/rules/certificate/certificate-spec.ts';
import {
  chosenIssuer,
  issuerOf,
  orderedProfile,
  withChosenIssuer,
} from '../../../../../lambdas/domain/rules/renewal/issuer-choice.ts';
import { issuer, specWith } from '../../../../fakes/specs.ts';

const named = (name: string, termsOfServiceAgreed = true) => ({
  ...issuer,
  name,
  directoryUrl: `https://${name}.test/directory`,
  termsOfServiceAgreed,
});
const [first, second, third] = [named('first'), named('second'), named('third')];
const spec = specWith({ issuer: first, issuers: [first, second, third] });

test.each([
  [0, 'first'],
  [2, 'first'],
  [3, 'second'],
  [5, 'second'],
  [6, 'third'],
  [9, 'first'],
  [12, 'second'],
])('after %d failures of issuers in a row it is the turn of the %s', (issuerFailures, name) => {
  expect(chosenIssuer(spec, { issuerFailures }).name).toBe(name);
});

test('chooses the configured issuer without failures or without fallbacks', () => {
  expect(chosenIssuer(spec, null)).toBe(first);
  expect(chosenIssuer(specWith({ issuer: first }), { issuerFailures: 40 })).toBe(first);
});

test('skips a fallback without agreed terms, but not the configured issuer', () => {
  const issuers = [named('first', false), named('second', false), third];
  const turns = [0, 3, 6].map((issuerFailures) => chosenIssuer({ issuers, issuer: first }, { issuerFailures }).name);
  expect(turns).toEqual(['first', 'third', 'first']);
});

test.each([
  ['CaaError', 'first'],
  ['ExternalAccountBindingError', 'first'],
  ['InvalidProfileError', 'first'],
  ['CaUnavailableError', 'second'],
  ['ChallengeFailedError', 'second'],
  ['an unknown error name', 'second'],
])('a fallback that failed with %s is followed by the %s', (error, name) => {
  expect(chosenIssuer(spec, { issuerFailures: 4, error }).name).toBe(name);
});

test.each([
  ['the configured issuer', first, 'shortlived', [], 'shortlived'],
  ['a fallback that offers it', second, 'shortlived', ['classic', 'shortlived'], 'shortlived'],
  ['a fallback that offers others', second, 'shortlived', ['standard', 'minimal'], null],
  ['a fallback without profiles', second, 'shortlived', [], null],
  ['a fallback of a certificate without a profile', second, null, ['standard'], null],
])('%s is asked for a profile that it offers', (_, asked, profile, offered, expected) => {
  expect(orderedProfile({ ...spec, profile, issuer: asked }, offered)).toBe(expected);
});

describe('the spec for a fallback', () => {
  const chosen = withChosenIssuer(spec, { issuerFailures: 3 });

  test('has another set hash, because each CA counts for itself, and the same spec hash', () => {
    expect(chosen.issuer).toBe(second);
    expect(chosen.setHash).toBe(setHash(second.directoryUrl, spec.identifiers));
    expect(chosen.setHash).not.toBe(spec.setHash);
    expect(chosen.specHash).toBe(spec.specHash);
  });

  test('has the configured issuer again after a success', () => {
    expect(withChosenIssuer(chosen, null)).toEqual(spec);
  });
});

test('finds the issuer of a certificate by its directory', () => {
  expect(issuerOf(spec, { directoryUrl: 'https://third.test/directory' })).toBe(third);
  expect(issuerOf(spec, { directoryUrl: 'https://fourth.test/directory' })).toBeUndefined();
});
