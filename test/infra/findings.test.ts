import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CloudFormationValidatePlugin, Lazy, Stack, Validations } from 'aws-cdk-lib';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { CertificateRenewal, ChallengeRole, googleTrustServices, zeroSsl } from '../../infra/index.ts';
import { type Build, smallConfig, withApp } from './synthesized.ts';

/**
 * The rules of cdk-nag and of the CDK itself, which `cdk synth` evaluates. They are evaluated in this file only, because the CDK's own
 * rules take seconds to load.
 */

const cloudFormationRules = new CloudFormationValidatePlugin();

/** Synthesizes the app and returns each finding without an acknowledgement. */
function findingsIn(app: App): readonly string[] {
  Validations.of(app).addPlugins(cloudFormationRules, new AwsSolutionsChecks(app), new ServerlessChecks(app));
  try {
    app.synth();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ValidationFailed')) throw error;
  }
  const { pluginReports } = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as {
    readonly pluginReports: readonly { readonly violations: readonly object[] }[];
  };
  return pluginReports.flatMap(({ violations }) => violations.map((violation) => JSON.stringify(violation)));
}

function certificatesOf(stack: Stack): CertificateRenewal {
  const found = stack.node.findChild('Certificates');
  if (found instanceof CertificateRenewal) return found;
  throw new Error('The stack has no CertificateRenewal');
}

const theirRole = 'arn:aws:iam::222222222222:role/challenges';
const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';
const bound = (name: string) => ({
  termsOfServiceAgreed: true as const,
  contact: ['tls@example.com'],
  externalAccountBinding: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`,
});

/** Features whose resources do not depend on each other are in one build, because each evaluation takes seconds. */
const builds: Readonly<Record<string, Build>> = {
  'of the smallest config': [smallConfig],
  'with zones of another account alone, bound CA accounts, notifications and a requested certificate': [
    {
      ...smallConfig,
      hostedZones: [{ id: 'Z0THEIRS', name: 'example.com', roleArn: theirRole }],
      issuer: zeroSsl(bound('zerossl')),
      fallbackIssuers: [googleTrustServices(bound('google'))],
      notifications: { email: ['ops@example.com'] },
    },
    (stack) => certificatesOf(stack).certificate('www', 'us-east-1'),
  ],
  'with as many CDK tokens as fit': [
    {
      ...smallConfig,
      hostedZones: Array.from({ length: 100 }, (_, index) => ({
        id: Lazy.string({ produce: () => `Z${index}` }),
        name: `z${index}.example`,
      })),
      certificates: [{ name: 'www', identifiers: ['z1.example'] }],
    },
  ],
  'with notifications and a key of the same app': [
    { ...smallConfig, notifications: { email: ['ops@example.com'] } },
    undefined,
    (stack) => new Key(stack, 'Key', { enableKeyRotation: true }),
  ],
  'with a reader and a key of another app': [
    smallConfig,
    (stack) => {
      const role = new Role(stack, 'Reader', { assumedBy: new AccountPrincipal('123456789012') });
      certificatesOf(stack).grantRead('www', role);
    },
    (stack) => Key.fromKeyArn(stack, 'Key', keyArn),
  ],
};

test.each(Object.entries(builds))('the stack %s has no finding without an acknowledgement', (_, build) => {
  expect(withApp(build, findingsIn)).toEqual([]);
});

test('the role for challenges in zones of another account has no finding without an acknowledgement', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'perennial-synth-'));
  try {
    const app = new App({ outdir, treeMetadata: false });
    new ChallengeRole(new Stack(app, 'Zones'), 'Challenge', {
      trustedRole: 'arn:aws:iam::111111111111:role/Perennial-ChallengeRole-AbC123',
      externalId: 'the-shop-0815',
      hostedZones: [
        { id: 'Z0COM', name: 'example.com' },
        { id: 'Z0AUTH', name: 'auth.example.org', challengesOnly: true },
      ],
      names: ['Example.com.', '*.example.com', 'www.example.com', 'bücher.example.com'],
    });
    expect(findingsIn(app)).toEqual([]);
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

test('findings of cdk-nag and of the CDK are detected', () => {
  const withMistakes = (stack: Stack) => {
    new Bucket(stack, 'Bucket');
    new CfnBucket(stack, 'Mistake', { bucketName: 'Not A Name!' });
  };
  const findings = withApp([smallConfig, withMistakes], findingsIn).join();
  expect(findings).toContain('AwsSolutions-S1');
  expect(findings).toContain('Not A Name!');
});
