import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ContainerImage, FargateTaskDefinition, Secret } from 'aws-cdk-lib/aws-ecs';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { expect, test } from 'vitest';
import { CertificateRenewal } from '../../../infra/index.ts';
import { expectMistakes } from '../mistakes.ts';
import { smallConfig } from '../synthesized.ts';

const stackWith = () => new Stack(new App(), 'Site', { env: { account: '123456789012', region: 'eu-central-1' } });
const readerIn = (stack: Stack) => CertificateRenewal.fromPrefix(stack, 'Certificates');

test('the secret of a certificate works as a secret of an ECS container, with the grant of the certificate', () => {
  const stack = stackWith();
  const task = new FargateTaskDefinition(stack, 'Task');
  const secret = readerIn(stack).secret('www');
  const container = task.addContainer('Web', { image: ContainerImage.fromRegistry('nginx') });
  container.addSecret('TLS_CERTIFICATE', Secret.fromSecretsManager(secret, 'fullChain'));
  const text = JSON.stringify(Template.fromStack(stack));
  expect(text).toContain(':secretsmanager:eu-central-1:123456789012:secret:certificates/www:fullChain::');
  expect(text).toContain(':secret:certificates/www-??????');
  expect(text).toContain('"secretsmanager:VersionStage":["AWSCURRENT","AWSPREVIOUS"]');
});

test('the secret of a certificate is the same object each time', () => {
  const certificates = readerIn(stackWith());
  expect(certificates.secret('www')).toBe(certificates.secret('www'));
});

test.each(['shop-public', 'www-prod01', 'api-google', 'x-secret'])(
  'a certificate named %s has no secret object, because its ARN would be ambiguous',
  (name) => {
    expectMistakes(() => readerIn(stackWith()).secret(name), [`secret("${name}")`, 'hyphen and six characters']);
  },
);

test('the secret of a certificate cannot be written, rotated or read at other stages', () => {
  const stack = stackWith();
  const role = new Role(stack, 'Role', { assumedBy: new AccountPrincipal('123456789012') });
  const secret = readerIn(stack).secret('www');
  expect(() => secret.grantWrite(role)).toThrow(/grantWrite: only Perennial changes the secret/);
  expect(() => secret.addRotationSchedule('Rotation', {})).toThrow(/addRotationSchedule/);
  expect(() => secret.grantRead(role, ['CANDIDATE'])).toThrow(/grantRead without stages/);
});

test('a secret of a certificate that is not configured is rejected, with the nearest name', () => {
  const stack = stackWith();
  const certificates = new CertificateRenewal(stack, 'Renewal', {
    issuer: smallConfig.issuer,
    hostedZones: smallConfig.hostedZones ?? [],
    certificates: smallConfig.certificates,
  });
  expectMistakes(() => certificates.secret('ww'), ['secret("ww")', '"www"']);
});
