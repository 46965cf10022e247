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

/** Statements of a role, as text, that name one of the bindings. */
const aboutBindings = (role: string) => {
  const { inline, managed } = policiesOf(`Certificates${role}`, stack);
  const statements = [...inline, ...managed].flatMap(({ Statement }) => Statement as readonly object[]);
  return statements.filter((statement) => /zerossl|google/.test(JSON.stringify(statement)));
};

test('the function that registers accounts reads the bindings of all issuers, and nothing else is granted on them', () => {
  // In one statement with the account secrets, which CDK merges them with.
  expect(aboutBindings('OrderRole')).toEqual([
    {
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: [secret('google-GhIjKl'), secret('zerossl-AbCdEf'), secret('certificates-accounts/*')],
    },
  ]);
});

test('no other function sees them', () => {
  for (const role of ['CheckRole', 'ChallengeRole', 'CertificateRole', 'DeliveryRole']) {
    expect(aboutBindings(role), role).toEqual([]);
  }
});
