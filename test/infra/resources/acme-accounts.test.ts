import { expect, test } from 'vitest';
import { googleTrustServices, zeroSsl } from '../../../infra/index.ts';
import { policiesOf, smallConfig, synthesize } from '../synthesized.ts';

const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;
const bound = { termsOfServiceAgreed: true, contact: [] } as const;
const stack = synthesize({
  ...smallConfig,
  issuer: zeroSsl({ ...bound, externalAccountBinding: secret('zerossl-AbCdEf') }),
  fallbackIssuers: [googleTrustServices({ ...bound, externalAccountBinding: secret('google-GhIjKl') })],
});

/** Returns the statements of a role that name one of the bindings. */
const aboutBindings = (role: string) => {
  const { inline, managed } = policiesOf(`Certificates${role}`, stack);
  const statements = [...inline, ...managed].flatMap(({ Statement }) => Statement as readonly object[]);
  return statements.filter((statement) => /zerossl|google/.test(JSON.stringify(statement)));
};

test('the order function may describe and read the bindings of all issuers, and has no other permission for them', () => {
  expect(aboutBindings('OrderRole')).toEqual([
    {
      Effect: 'Allow',
      Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      Resource: [secret('google-GhIjKl'), secret('zerossl-AbCdEf')],
    },
  ]);
});

test('no other function has a permission for the bindings', () => {
  for (const role of ['CheckRole', 'ChallengeRole', 'CertificateRole', 'DeliveryRole']) {
    expect(aboutBindings(role), role).toEqual([]);
  }
});
