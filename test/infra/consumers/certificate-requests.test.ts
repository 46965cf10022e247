import { rootCertificates } from 'node:tls';
import { App, Lazy, Stack } from 'aws-cdk-lib';
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
  ConfigError,
  letsEncrypt,
  letsEncryptStaging,
  type PerennialConfig,
} from '../../../infra/index.ts';
import {
  ofType,
  policiesOf,
  type Resource,
  resolve,
  type Synthesized,
  smallConfig,
  synthesize,
} from '../synthesized.ts';

const [root = ''] = rootCertificates;
const [www = { name: 'www', identifiers: ['example.com'] }] = smallConfig.certificates;

function certificatesOf(stack: Stack): CertificateRenewal {
  const found = stack.node.findChild('Certificates');
  if (found instanceof CertificateRenewal) return found;
  throw new Error('no construct of ours');
}

/** `www` in us-east-1 is asked for, and given to what `use` makes. */
const asking = (
  config = smallConfig,
  use: (stack: Stack, certificate: ICertificate) => void = () => undefined,
): Synthesized => synthesize(config, (stack) => use(stack, certificatesOf(stack).certificate('www', 'us-east-1')));

const requests = ({ resources }: Synthesized) => ofType(resources, 'Custom::PerennialCertificate');
const asked = asking();
const request: Resource = requests(asked)[0]?.[1] ?? { Type: '', Properties: {} };

describe('a certificate that is asked for', () => {
  test('is a resource of its own, and the same one however often it is asked for', () => {
    const ids = new Set<string>();
    const synthesized = synthesize(smallConfig, (stack) => {
      for (let time = 0; time < 3; time++)
        ids.add(certificatesOf(stack).certificate('www', 'us-east-1').certificateArn);
    });
    expect(ids.size).toBe(1);
    expect(requests(synthesized)).toHaveLength(1);
  });

  test('in two regions is two resources of one provider', () => {
    const config = { ...smallConfig, certificates: [{ ...www, acm: ['us-east-1', 'eu-west-1'] }] };
    const synthesized = synthesize(config, (stack) => {
      for (const region of ['us-east-1', 'eu-west-1']) certificatesOf(stack).certificate('www', region);
    });
    const found = requests(synthesized).map(([, { Properties }]) => Properties);
    expect(found.map(({ Region }) => Region).toSorted()).toEqual(['eu-west-1', 'us-east-1']);
    expect(new Set(found.map(({ ServiceToken }) => JSON.stringify(ServiceToken))).size).toBe(1);
  });

  test('adds nothing to a stack where none is', () => {
    const names = Object.keys(synthesize().resources);
    expect(names.filter((id) => id.includes('CertificateRequests'))).toEqual([]);
  });

  test('waits for all that a renewal needs, and the fleet starts after it', () => {
    const { resources } = asked;
    const waitsFor = new Set(request.DependsOn);
    const needed = Object.entries(resources).filter(
      ([id, { Type }]) =>
        /^AWS::(IAM::Policy|Lambda::Function|StepFunctions::StateMachine|DynamoDB::Table)$/.test(Type) &&
        !/FleetStart|^Scheduler/.test(id),
    );
    expect(needed.filter(([id]) => !waitsFor.has(id)).map(([id]) => id)).toEqual([]);
    const [start] = ofType(resources, 'Custom::FleetStart');
    expect(start?.[1].DependsOn).toContain(requests(asked)[0]?.[0]);
  });

  test('has 35 minutes, five more than its provider waits', () => {
    expect(request.Properties.ServiceTimeout).toBe('2100');
    const waiter = Object.entries(asked.resources).find(([id]) => /waiterstatemachine[0-9A-F]{8}$/.test(id));
    const definition = String(resolve(waiter?.[1].Properties.DefinitionString, asked.resources));
    const [{ IntervalSeconds = 0, MaxAttempts = 0 } = {}] =
      JSON.parse(definition).States['framework-isComplete-task'].Retry;
    expect({ IntervalSeconds, minutes: (IntervalSeconds * MaxAttempts) / 60 }).toEqual({
      IntervalSeconds: 5,
      minutes: 30,
    });
  });
});

describe('CloudFormation notices', () => {
  const hashes = (change: Partial<CertificateConfig>, others: readonly CertificateConfig[] = []) =>
    requests(asking({ ...smallConfig, certificates: [{ ...www, ...change }, ...others] })).map(
      ([, { Properties }]) => Properties.SpecHashes,
    );
  const unchanged = [request.Properties.SpecHashes];

  test.each([
    ['key type', { keyType: 'RSA-2048' }],
    ['names', { identifiers: ['example.com'] }],
    ['profile', { profile: 'tlsserver' }],
    ['issuer', { issuer: acmeDirectory({ directoryUrl: 'https://other.test/directory' }) }],
  ] as const)('another %s', (_, change) => {
    expect(hashes(change)).not.toEqual(unchanged);
  });

  test('that something has changed, so that it hears of an ARN that did without a deployment', () => {
    const versions = [[], [{ name: 'mail', identifiers: ['mail.example.com'] }]].map((others) =>
      requests(asking({ ...smallConfig, certificates: [www, ...others] })).map(
        ([, { Properties }]) => Properties.Version,
      ),
    );
    expect(versions[0]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(versions[1]).not.toEqual(versions[0]);
  });

  test('not what another certificate is', () => {
    expect(hashes({}, [{ name: 'mail', identifiers: ['mail.example.com'] }])).toEqual(unchanged);
  });
});

describe('refused at synth', () => {
  const call =
    (name: string, region: string, config = smallConfig) =>
    () =>
      synthesize(config, (stack) => certificatesOf(stack).certificate(name, region));

  test.each([
    ['ww', 'us-east-1', 'certificate("ww", "us-east-1"): found an unknown name (did you mean "www"?), allowed: www'],
    ['www', 'eu-west-1', 'found "eu-west-1", allowed: a region of the certificate\'s acm, which lists us-east-1'],
    ['www', Lazy.string({ produce: () => 'us-east-1' }), 'found a CDK token, allowed: a region of the certificate'],
  ])('%s in %s', (name, region, mistake) => {
    expect(call(name, region)).toThrow(ConfigError);
    expect(call(name, region)).toThrow(mistake);
  });

  test('a certificate without a name, which was compared with those that are known', () => {
    const ask = (stack: Stack) =>
      (certificatesOf(stack) as { readonly certificate: (...given: readonly unknown[]) => unknown }).certificate();
    expect(() => synthesize(smallConfig, ask)).toThrow(
      'certificate(nothing, nothing): found an unknown name, allowed: www',
    );
  });

  test('a certificate that is delivered nowhere', () => {
    const config = { ...smallConfig, certificates: [{ name: 'www', identifiers: ['example.com'] }] };
    expect(call('www', 'us-east-1', config)).toThrow('acm, which lists none: add it there');
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
    ...smallConfig,
    issuer,
    certificates: [{ ...www, ...change }],
  });
  const directory = (options: Partial<AcmeDirectoryOptions>) =>
    acmeDirectory({ directoryUrl: 'https://acme.test/directory', ...options });
  const staging = from(letsEncryptStaging({ termsOfServiceAgreed: true }));
  const untrusted =
    'Certificate www, given to Perennial/Site/Resource, is issued by letsencrypt-staging, which browsers do not trust';

  test.each([
    ['Let’s Encrypt', letsEncrypt({ termsOfServiceAgreed: true })],
    ['a directory of one’s own', directory({})],
    ['a private one that is said to be trusted', directory({ trustedRoots: [root], publiclyTrusted: true })],
  ])('is given certificates of %s', (_, issuer) => {
    const synthesized = asking(from(issuer), distribution);
    const [site] = ofType(synthesized.resources, 'AWS::CloudFront::Distribution');
    const id = requests(synthesized)[0]?.[0];
    expect(site?.[1].Properties.DistributionConfig).toMatchObject({
      ViewerCertificate: { AcmCertificateArn: { 'Fn::GetAtt': [id, 'Arn'] } },
    });
  });

  test('is refused one of a staging directory', () => {
    expect(() => asking(staging, distribution)).toThrow(untrusted);
    const said = from(directory({ staging: true, publiclyTrusted: true }));
    expect(() => asking(said, distribution)).toThrow('issued by acme.test, which browsers do not trust');
  });

  test('is refused one of a private CA, and of an untrusted issuer in reserve', () => {
    const own = directory({ trustedRoots: [root] });
    expect(() => asking(from(own), distribution)).toThrow('issued by acme.test, which browsers do not trust');
    const reserve = directory({
      directoryUrl: 'https://reserve.test/dir',
      publiclyTrusted: false,
      termsOfServiceAgreed: true,
    });
    expect(() => asking(from(directory({}), { fallbackIssuers: [reserve] }), distribution)).toThrow(
      'issued by reserve.test, which browsers do not trust',
    );
  });

  test('is refused a P-384 key', () => {
    const config = from(directory({}), { keyType: 'P-384' });
    expect(() => asking(config, distribution)).toThrow('has a P-384 key, and CloudFront takes P-256 and RSA only');
  });

  test('is refused one of another region than us-east-1', () => {
    const config = from(directory({}), { acm: ['eu-west-1'] });
    expect(() =>
      synthesize(config, (stack) => distribution(stack, certificatesOf(stack).certificate('www', 'eu-west-1'))),
    ).toThrow("ask for certificate('www', 'us-east-1')");
  });

  test('is refused it in another stack of the app too, and as a resource of CloudFormation', () => {
    const elsewhere = (stack: Stack, certificate: ICertificate) =>
      distribution(new Stack(App.of(stack) as App, 'Other'), certificate);
    expect(() => asking(staging, elsewhere)).toThrow('given to Other/Site/Resource, is issued by letsencrypt-staging');
    const plain = (stack: Stack, certificate: ICertificate) =>
      new CfnDistribution(stack, 'Plain', {
        distributionConfig: {
          enabled: true,
          defaultCacheBehavior: { targetOriginId: 'origin', viewerProtocolPolicy: 'https-only' },
          viewerCertificate: { acmCertificateArn: certificate.certificateArn },
        },
      });
    expect(() => asking(staging, plain)).toThrow('given to Perennial/Plain, is issued by letsencrypt-staging');
  });

  test('is what stands behind an edge-optimized API too', () => {
    const edge = (stack: Stack, { certificateArn }: ICertificate) =>
      new CfnDomainName(stack, 'Edge', { domainName: 'example.com', certificateArn });
    expect(() => asking(staging, edge)).toThrow('given to Perennial/Edge, is issued by letsencrypt-staging');
    const regional = (stack: Stack, { certificateArn }: ICertificate) =>
      new CfnDomainName(stack, 'Regional', { domainName: 'example.com', regionalCertificateArn: certificateArn });
    expect(requests(asking(staging, regional))).toHaveLength(1);
  });

  test('is what the rule is for: a load balancer takes any', () => {
    const balancer = (stack: Stack, certificate: ICertificate) =>
      new ApplicationLoadBalancer(stack, 'Balancer', { vpc: new Vpc(stack, 'Vpc') }).addListener('Https', {
        port: 443,
        certificates: [certificate],
        open: false,
        defaultAction: ListenerAction.fixedResponse(204),
      });
    expect(requests(asking(staging, balancer))).toHaveLength(1);
  });
});

describe('the function that', () => {
  const statements = (role: string) =>
    [...policiesOf(role, asked).inline, ...policiesOf(role, asked).managed]
      .flatMap(({ Statement }) => Statement)
      .filter(({ Action }) => !/^(logs|xray):/.test([Action].flat().join()))
      .map(({ Action, Resource }) => [Action, Resource]);
  const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(asked.text)?.[1] ?? '';
  const states = 'arn:aws:states:eu-central-1:123456789012';

  test('starts it may start renewals, read the ledger and look at its own stack', () => {
    const [[table] = []] = ofType(asked.resources, 'AWS::DynamoDB::Table');
    expect(statements('CertificatesCertificateRequestsOnEvent')).toEqual([
      ['states:StartExecution', `${states}:stateMachine:${renewal}`],
      ['dynamodb:GetItem', `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`],
      ['cloudformation:DescribeStacks', expect.anything()],
    ]);
  });

  test('waits for it may look at renewals and read the ledger', () => {
    const [[table] = []] = ofType(asked.resources, 'AWS::DynamoDB::Table');
    expect(statements('CertificatesCertificateRequestsIsComplete')).toEqual([
      ['states:DescribeExecution', `${states}:execution:${renewal}:*`],
      ['dynamodb:GetItem', `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`],
    ]);
  });
});

test('with a key of one’s own its logs are encrypted too', () => {
  const { resources } = synthesize(
    smallConfig,
    (stack) => certificatesOf(stack).certificate('www', 'us-east-1'),
    (stack) => new Key(stack, 'Key'),
  );
  const groups = ofType(resources, 'AWS::Logs::LogGroup').filter(([id]) => id.includes('CertificateRequests'));
  expect(groups.length).toBeGreaterThanOrEqual(3);
  expect(groups.filter(([, { Properties }]) => Properties.KmsKeyId === undefined)).toEqual([]);
});
