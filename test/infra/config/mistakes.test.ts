import { App, Stack } from 'aws-cdk-lib';
import { expect, onTestFinished, test } from 'vitest';
import { CertificateRenewal, ChallengeRole } from '../../../infra/index.ts';
import { mistakesOf } from '../mistakes.ts';

test.each([
  ['CertificateRenewal', () => new CertificateRenewal(new Stack(new App()), 'Certificates', {} as never)],
  ['fromPrefix', () => CertificateRenewal.fromPrefix(new Stack(new App()), 'Certificates')],
  ['ChallengeRole', () => new ChallengeRole(new Stack(new App()), 'Challenges', {} as never)],
])('%s on Node.js 20 is rejected with the version that the package needs', (_, create) => {
  const { versions } = process;
  onTestFinished(() => void Object.defineProperty(process, 'versions', { value: versions }));
  Object.defineProperty(process, 'versions', { value: { ...versions, node: '20.20.2' } });

  expect(mistakesOf(create)).toEqual(['cdk-perennial: found Node.js 20.20.2; expected Node.js 22.18 or newer']);
});
