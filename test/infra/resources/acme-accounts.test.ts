import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { expect, test } from 'vitest';
import { CertificateRenewal, googleTrustServices, zeroSsl } from '../../../infra/index.ts';
import { policiesOf, smallConfig, synthesize } from '../synthesized.ts';

const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;
const bound = { termsOfServiceAgreed: true, contact: ['tls@example.com'] } as const;
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

test('the order function may decrypt with the key of a binding that is a secret of the app', () => {
  const app = new Stack(new App(), 'Perennial');
  const key = new Key(app, 'BindingKey');
  const externalAccountBinding = new Secret(app, 'Binding', { encryptionKey: key });
  new CertificateRenewal(app, 'Certificates', {
    ...smallConfig,
    issuer: zeroSsl({ ...bound, externalAccountBinding }),
  });
  const policies = Object.values(Template.fromStack(app).findResources('AWS::IAM::Policy'));
  const [order] = policies.filter(({ Properties }) => Properties.Roles[0].Ref.startsWith('CertificatesOrderRole'));
  expect(order?.Properties.PolicyDocument.Statement).toContainEqual({
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: app.resolve(key.keyArn),
    Condition: {
      StringEquals: { 'kms:ViaService': expect.anything() },
      StringLike: { 'kms:EncryptionContext:SecretARN': [app.resolve(externalAccountBinding.secretArn)] },
    },
  });
});

test('no other function has a permission for the bindings', () => {
  for (const role of ['CheckRole', 'ChallengeRole', 'CertificateRole', 'DeliveryRole']) {
    expect(aboutBindings(role), role).toEqual([]);
  }
});
