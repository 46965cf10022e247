import { expect, test } from 'vitest';
import shipped from '../../certificates.ts';
import { checkConfig } from '../../infra/config/check-config.ts';
import agreed from '../certificates.ts';
import { expectMistakes, mistakesOf } from './mistakes.ts';

test('the shipped configuration is rejected until the terms are agreed to', () => {
  expectMistakes(
    () => checkConfig(shipped),
    ['issuer.termsOfServiceAgreed', 'found false', 'https://letsencrypt.org/repository/', 'set true'],
  );
});

test('the shipped configuration is accepted after the terms are agreed to', () => {
  expect(mistakesOf(() => checkConfig(agreed))).toEqual([]);
});
