import { rootCertificates } from 'node:tls';
import { App, Duration, Lazy, Resource, Stack } from 'aws-cdk-lib';
import { CfnDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { CfnDistribution, Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { ApplicationLoadBalancer, ListenerAction } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { describe, expect, test } from 'vitest';
import {
  type AcmeDirectoryOptions,
  acmeDirectory,
  type CertificateConfig,
  CertificateRenewal,
  letsEncrypt,
  letsEncryptStaging,
  type PerennialConfig,
} from '../../../infra/index.ts';
import { specHash } from '../../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { expectMistakes } from '../mistakes.ts';
import {
  ofType,
  policiesOf,
  resolve,
  type Synthesized,
  type Resource as SynthesizedResource,
  smallConfig,
  synthesize,
  withApp,
} from '../synthesized.ts';

const [root = ''] = rootCertificates;
/** Without alarms, which take a quarter of each synthesis. */
const quietConfig = { ...smallConfig, monitoring: false } as const;
const [www = { name: 'www', identifiers: ['example.com'] }] = quietConfig.certificates;

function certificatesOf(stack: Stack): CertificateRenewal {
  const found = stack.node.findChild('Certificates');
  if (found instanceof CertificateRenewal) return found;
  throw new Error('The stack has no CertificateRenewal.');
}

/** Synthesizes a stack that requests `www` in us-east-1, and gives the certificate to `use`. */
const requesting = (
  config = quietConfig,
  use: (stack: Stack, certificate: ICertificate) => void = () => undefined,
): Synthesized => synthesize(config, (stack) => use(stack, certificatesOf(stack).certificate('www', 'us-east-1')));

const requests = ({ resources }: Synthesized) => ofType(resources, 'Custom::PerennialCertificate');
const requested = requesting();
const request: SynthesizedResource = requests(requested)[0]?.[1] ?? { Type: '', Properties: {} };

describe('a requested certificate', () => {
  test('has a metric of its own region, also in the stack of another region', () => {
    withApp([quietConfig], (app) => {
      const site = new Stack(app, 'Site', { env: { account: '111111111111', region: 'eu-west-1' } });
      const certificates = new CertificateRenewal(site, 'Certificates', { ...quietConfig, secretPrefix: 'site/' });
      const metric = certificates.certificate('www', 'us-east-1').metricDaysToExpiry({ period: Duration.hours(6) });
      expect(metric).toMatchObject({ namespace: 'AWS/CertificateManager', region: 'us-east-1', statistic: 'Minimum' });
      expect(metric.period.toHours()).toBe(6);
      const alarm = { threshold: 14, evaluationPeriods: 1 };
      // CloudWatch cannot watch a metric of another region.
      expect(() => metric.createAlarm(site, 'Expiry', alarm)).toThrow(/eu-west-1.*us-east-1/);
      const there = new Stack(app, 'There', { env: { account: '111111111111', region: 'us-east-1' } });
      metric.createAlarm(there, 'Expiry', alarm);
    });
  });

  test('is a resource with a reference to its ARN', () => {
    requesting(quietConfig, (stack, certificate) => {
      expect(Resource.isResource(certificate)).toBe(true);
      expect(certificate.certificateRef).toEqual({ certificateArn: certificate.certificateArn });
      expect(certificate.stack).toBe(stack);
    });
  });

  test('is one resource, even if it is requested several times', () => {
    const ids = new Set<string>();
    const synthesized = synthesize(quietConfig, (stack) => {
      for (let time = 0; time < 3; time++)
        ids.add(certificatesOf(stack).certificate('www', 'us-east-1').certificateArn);
    });
    expect(ids.size).toBe(1);
    expect(requests(synthesized)).toHaveLength(1);
  });

  test('is one resource for each region, with the same provider', () => {
    const config = { ...quietConfig, certificates: [{ ...www, acm: ['us-east-1', 'eu-west-1'] }] };
    const synthesized = synthesize(config, (stack) => {
      for (const region of ['us-east-1', 'eu-west-1']) certificatesOf(stack).certificate('www', region);
    });
    const found = requests(synthesized).map(([, { Properties }]) => Properties);
    expect(found.map(({ Region }) => Region).toSorted()).toEqual(['eu-west-1', 'us-east-1']);
    expect(new Set(found.map(({ ServiceToken }) => JSON.stringify(ServiceToken))).size).toBe(1);
  });

  test('is the only reason for the provider', () => {
    const names = Object.keys(synthesize().resources);
    expect(names.filter((id) => id.includes('CertificateRequests'))).toEqual([]);
  });

  test('waits for all resources that a renewal needs, and the fleet starts after it', () => {
    const { resources } = requested;
    const waitsFor = new Set(request.DependsOn);
    const needed = Object.entries(resources).filter(
      ([id, { Type }]) =>
        /^AWS::(IAM::Policy|Lambda::Function|StepFunctions::StateMachine|DynamoDB::Table)$/.test(Type) &&
        !/FleetStart|^Scheduler/.test(id),
    );
    expect(needed.filter(([id]) => !waitsFor.has(id)).map(([id]) => id)).toEqual([]);
    const [start] = ofType(resources, 'Custom::FleetStart');
    expect(start?.[1].DependsOn).toContain(requests(requested)[0]?.[0]);
  });

  test('has a timeout of 35 minutes, which is longer than the 30 minutes of its provider', () => {
    expect(request.Properties.ServiceTimeout).toBe('2100');
    const waiter = Object.entries(requested.resources).find(([id]) => /waiterstatemachine[0-9A-F]{8}$/.test(id));
    const definition = String(resolve(waiter?.[1].Properties.DefinitionString, requested.resources));
    const [{ IntervalSeconds = 0, MaxAttempts = 0 } = {}] =
      JSON.parse(definition).States['framework-isComplete-task'].Retry;
    expect({ IntervalSeconds, minutes: (IntervalSeconds * MaxAttempts) / 60 }).toEqual({
      IntervalSeconds: 5,
      minutes: 30,
    });
  });
});

test('a certificate that a fallback issuer issued with its default profile is as requested', () => {
  const fallback = acmeDirectory({ directoryUrl: 'https://other.test/directory', termsOfServiceAgreed: true });
  const certificates = [{ ...www, profile: 'tlsserver', fallbackIssuers: [fallback] }];
  const [, { Properties }] = requests(requesting({ ...quietConfig, certificates }))[0] ?? ['', request];
  const { directoryUrl } = fallback;
  const hashOf = (profile: string | null) =>
    specHash({ identifiers: www.identifiers, keyType: 'P-256', profile, directoryUrl });
  expect(Properties.SpecHashes).toEqual([expect.any(String), hashOf('tlsserver'), hashOf(null)]);
});

describe('CloudFormation updates the resource after a change of', () => {
  const hashes = (change: Partial<CertificateConfig>, others: readonly CertificateConfig[] = []) =>
    requests(requesting({ ...quietConfig, certificates: [{ ...www, ...change }, ...others] })).map(
      ([, { Properties }]) => Properties.SpecHashes,
    );
  const unchanged = [request.Properties.SpecHashes];

  test.each([
    ['key type', { keyType: 'RSA-2048' }],
    ['names', { identifiers: ['example.com'] }],
    ['profile', { profile: 'tlsserver' }],
    ['issuer', { issuer: acmeDirectory({ directoryUrl: 'https://other.test/directory' }) }],
  ] as const)('the %s', (_, change) => {
    expect(hashes(change)).not.toEqual(unchanged);
  });

  test('any configuration, because the ARN may have changed without a deployment', () => {
    const versions = [[], [{ name: 'mail', identifiers: ['mail.example.com'] }]].map((others) =>
      requests(requesting({ ...quietConfig, certificates: [www, ...others] })).map(
        ([, { Properties }]) => Properties.Version,
      ),
    );
    expect(versions[0]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(versions[1]).not.toEqual(versions[0]);
  });

  test('its own spec hashes, but not those of another certificate', () => {
    expect(hashes({}, [{ name: 'mail', identifiers: ['mail.example.com'] }])).toEqual(unchanged);
  });
});

describe('a request is rejected at synth for', () => {
  const call =
    (name: string, region: string, config = quietConfig) =>
    () =>
      synthesize(config, (stack) => certificatesOf(stack).certificate(name, region));

  test.each([
    ['ww', 'us-east-1', ['certificate("ww", "us-east-1")', 'unknown certificate', 'did you mean "www"?', 'one of www']],
    ['www', 'eu-west-1', ['certificate("www", "eu-west-1")', '"eu-west-1"', 'acm', 'lists us-east-1']],
    [
      'www',
      Lazy.string({ produce: () => 'us-east-1' }),
      ['certificate("www", a CDK token)', 'a CDK token', 'lists us-east-1'],
    ],
  ] as const)('%s in %s', (name, region, expected) => {
    expectMistakes(call(name, region), expected);
  });

  test('a missing name', () => {
    const withoutName = (stack: Stack) =>
      (certificatesOf(stack) as { readonly certificate: (...given: readonly unknown[]) => unknown }).certificate();
    expectMistakes(
      () => synthesize(quietConfig, withoutName),
      ['certificate(nothing, nothing)', 'unknown certificate', 'one of www'],
    );
  });

  test('a certificate that is not delivered to any region', () => {
    const config = { ...quietConfig, certificates: [{ name: 'www', identifiers: ['example.com'] }] };
    expectMistakes(call('www', 'us-east-1', config), ['certificate("www", "us-east-1")', 'acm', 'is empty']);
  });
});

describe('CloudFront', () => {
  const distribution = (stack: Stack, certificate: ICertificate) =>
    new Distribution(stack, 'Site', {
      certificate,
      domainNames: ['example.com'],
      defaultBehavior: { origin: new HttpOrigin('origin.example') },
    });
  const from = (issuer: PerennialConfig['issuer'], change: Partial<CertificateConfig> = {}) => ({
    ...quietConfig,
    issuer,
    certificates: [{ ...www, ...change }],
  });
  const directory = (options: Partial<AcmeDirectoryOptions>) =>
    acmeDirectory({ directoryUrl: 'https://acme.test/directory', ...options });
  const staging = from(letsEncryptStaging({ termsOfServiceAgreed: true }));
  const untrusted = /www.*Perennial\/Site\/Resource.*letsencrypt-staging.*browsers do not trust/;

  test.each([
    ['Let’s Encrypt', letsEncrypt({ termsOfServiceAgreed: true })],
    ['another directory', directory({})],
    ['a private directory with publiclyTrusted', directory({ trustedRoots: [root], publiclyTrusted: true })],
  ])('accepts certificates of %s', (_, issuer) => {
    const synthesized = requesting(from(issuer), distribution);
    const [site] = ofType(synthesized.resources, 'AWS::CloudFront::Distribution');
    const id = requests(synthesized)[0]?.[0];
    expect(site?.[1].Properties.DistributionConfig).toMatchObject({
      ViewerCertificate: { AcmCertificateArn: { 'Fn::GetAtt': [id, 'Arn'] } },
    });
  });

  test('rejects a certificate of a staging directory', () => {
    expect(() => requesting(staging, distribution)).toThrow(untrusted);
    const marked = from(directory({ staging: true, publiclyTrusted: true }));
    expect(() => requesting(marked, distribution)).toThrow(/acme\.test.*browsers do not trust/);
  });

  test('rejects a certificate of a private CA, or with an untrusted fallback issuer', () => {
    const privateCa = directory({ trustedRoots: [root] });
    expect(() => requesting(from(privateCa), distribution)).toThrow(/acme\.test.*browsers do not trust/);
    const fallback = directory({
      directoryUrl: 'https://fallback.test/dir',
      publiclyTrusted: false,
      termsOfServiceAgreed: true,
    });
    expect(() => requesting(from(directory({}), { fallbackIssuers: [fallback] }), distribution)).toThrow(
      /fallback\.test.*browsers do not trust/,
    );
  });

  test('rejects a P-384 key', () => {
    const config = from(directory({}), { keyType: 'P-384' });
    expect(() => requesting(config, distribution)).toThrow(/P-384.*P-256 and RSA/);
  });

  test('rejects a certificate of a region other than us-east-1', () => {
    const config = from(directory({}), { acm: ['eu-west-1'] });
    expect(() =>
      synthesize(config, (stack) => distribution(stack, certificatesOf(stack).certificate('www', 'eu-west-1'))),
    ).toThrow("certificate('www', 'us-east-1')");
  });

  test('rejects the certificate in another stack of the app too, and in a plain CloudFormation resource', () => {
    const elsewhere = (stack: Stack, certificate: ICertificate) =>
      distribution(new Stack(App.of(stack) as App, 'Other'), certificate);
    expect(() => requesting(staging, elsewhere)).toThrow(/Other\/Site\/Resource.*letsencrypt-staging/);
    const plain = (stack: Stack, certificate: ICertificate) =>
      new CfnDistribution(stack, 'Plain', {
        distributionConfig: {
          enabled: true,
          defaultCacheBehavior: { targetOriginId: 'origin', viewerProtocolPolicy: 'https-only' },
          viewerCertificate: { acmCertificateArn: certificate.certificateArn },
        },
      });
    expect(() => requesting(staging, plain)).toThrow(/Perennial\/Plain.*letsencrypt-staging/);
  });

  test('rejects the certificate of an edge-optimized API too, but not of a regional one', () => {
    const edge = (stack: Stack, { certificateArn }: ICertificate) =>
      new CfnDomainName(stack, 'Edge', { domainName: 'example.com', certificateArn });
    expect(() => requesting(staging, edge)).toThrow(/Perennial\/Edge.*letsencrypt-staging/);
    const regional = (stack: Stack, { certificateArn }: ICertificate) =>
      new CfnDomainName(stack, 'Regional', { domainName: 'example.com', regionalCertificateArn: certificateArn });
    expect(requests(requesting(staging, regional))).toHaveLength(1);
  });

  test('alone rejects untrusted certificates, and a load balancer accepts them', () => {
    const balancer = (stack: Stack, certificate: ICertificate) =>
      new ApplicationLoadBalancer(stack, 'Balancer', { vpc: new Vpc(stack, 'Vpc') }).addListener('Https', {
        port: 443,
        certificates: [certificate],
        open: false,
        defaultAction: ListenerAction.fixedResponse(204),
      });
    expect(requests(requesting(staging, balancer))).toHaveLength(1);
  });
});

describe('the function of the custom resource', () => {
  const statements = (role: string) =>
    [...policiesOf(role, requested).inline, ...policiesOf(role, requested).managed]
      .flatMap(({ Statement }) => Statement)
      .filter(({ Action }) => !/^(logs|xray):/.test([Action].flat().join()))
      .map(({ Action, Resource }) => [Action, Resource]);
  const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(requested.text)?.[1] ?? '';
  const states = 'arn:aws:states:eu-central-1:123456789012';

  test('onEvent may start renewals, read the ledger and describe its own stack', () => {
    const [[table] = []] = ofType(requested.resources, 'AWS::DynamoDB::Table');
    expect(statements('CertificatesCertificateRequestsOnEvent')).toEqual([
      ['states:StartExecution', `${states}:stateMachine:${renewal}`],
      ['dynamodb:GetItem', `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`],
      ['cloudformation:DescribeStacks', expect.anything()],
    ]);
  });

  test('isComplete may describe renewals and read the ledger', () => {
    const [[table] = []] = ofType(requested.resources, 'AWS::DynamoDB::Table');
    expect(statements('CertificatesCertificateRequestsIsComplete')).toEqual([
      ['states:DescribeExecution', `${states}:execution:${renewal}:*`],
      ['dynamodb:GetItem', `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`],
    ]);
  });
});

test('with a KMS key the logs of the requests are encrypted too', () => {
  const { resources } = synthesize(
    quietConfig,
    (stack) => certificatesOf(stack).certificate('www', 'us-east-1'),
    (stack) => new Key(stack, 'Key'),
  );
  const groups = ofType(resources, 'AWS::Logs::LogGroup').filter(([id]) => id.includes('CertificateRequests'));
  expect(groups.length).toBeGreaterThanOrEqual(3);
  expect(groups.filter(([, { Properties }]) => Properties.KmsKeyId === undefined)).toEqual([]);
});
