import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { ApplicationLoadBalancer, ListenerAction } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { ArnPrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunctionResource, Runtime } from 'aws-cdk-lib/aws-lambda';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { CertificateRenewal, ChallengeRole, letsEncrypt } from '../../../infra/index.ts';

/** Apps as authors of the CDK write them, with more in them than certificates. */

const account = '111111111111';
const other = '222222222222';
const env = { account, region: 'us-east-1' };
const zone = { id: 'Z0123456789', name: 'example.com' };
const www = { name: 'www', identifiers: ['example.com'], acm: ['us-east-1', 'eu-west-1'] };
const base = { issuer: letsEncrypt({ termsOfServiceAgreed: true }), hostedZones: [zone], certificates: [www] };
const site = (id = 'Site', app = new App()) => new Stack(app, id, { env });

const distribution = (stack: Stack, certificates: CertificateRenewal) =>
  new Distribution(stack, 'Distribution', {
    domainNames: ['example.com'],
    certificate: certificates.certificate('www', 'us-east-1'),
    defaultBehavior: { origin: new HttpOrigin('origin.example.com') },
  });

test('a rule may start what knows the distribution that has the certificate', () => {
  const stack = site();
  const certificates = new CertificateRenewal(stack, 'Certificates', base);
  const { distributionId } = distribution(stack, certificates);
  const handler = new LambdaFunctionResource(stack, 'Invalidate', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => {};'),
    environment: { DISTRIBUTION: distributionId },
  });
  certificates.onRenewed('Renewed', { target: new LambdaFunction(handler) });
  // Throws for resources that depend on each other in a circle.
  expect(Template.fromStack(stack).resourceCountIs('AWS::Events::Rule', 2)).toBeUndefined();
});

test('what depends on a certificate is made after its delivery', () => {
  const stack = site();
  const certificates = new CertificateRenewal(stack, 'Certificates', base);
  const topic = new Topic(stack, 'Topic');
  topic.node.addDependency(certificates.certificate('www', 'us-east-1'));
  const [made] = Object.values(Template.fromStack(stack).findResources('AWS::SNS::Topic'));
  expect(String(made?.DependsOn)).toMatch(/^CertificatesCertificateRequestswwwuseast1/);
});

test('a load balancer of another region than its certificate is refused', () => {
  const app = new App();
  const stack = new Stack(app, 'Site', { env: { account, region: 'eu-west-1' } });
  const certificates = new CertificateRenewal(stack, 'Certificates', base);
  const balancer = new ApplicationLoadBalancer(stack, 'Balancer', { vpc: new Vpc(stack, 'Vpc') });
  balancer.addListener('Https', {
    port: 443,
    certificates: [certificates.certificate('www', 'us-east-1')],
    defaultAction: ListenerAction.fixedResponse(404),
  });
  expect(() => app.synth()).toThrow(
    "Certificate www, given to Site/Balancer/Https/Resource, is asked for in us-east-1, and that is in eu-west-1: ask for certificate('www', 'eu-west-1').",
  );
});

test('a zone that the CDK has yet to look up is taken, and so are two', () => {
  const stack = site();
  const hostedZones = ['example.com', 'example.net'].map((domainName) => {
    const { hostedZoneId, zoneName } = HostedZone.fromLookup(stack, domainName, { domainName });
    return { id: hostedZoneId, name: zoneName };
  });
  expect(hostedZones[0]?.id).toBe('DUMMY');
  expect(() => new CertificateRenewal(stack, 'Certificates', { ...base, hostedZones })).not.toThrow();
});

describe('two beside each other', () => {
  const two = (first: Stack, second: Stack, secretPrefix?: string) => () => {
    new CertificateRenewal(first, 'A', base);
    new CertificateRenewal(second, 'B', { ...base, ...(secretPrefix !== undefined && { secretPrefix }) });
  };

  test.each([undefined, 'certificates/site/', 'certificates-accounts/'])('with the prefix %s are refused', (prefix) => {
    const stack = site();
    expect(two(stack, stack, prefix)).toThrow('allowed: one that neither begins the other nor its account secrets');
  });

  test('in two stacks of one account and region are refused with one prefix', () => {
    const app = new App();
    expect(two(site('One', app), site('Two', app))).toThrow('beside "certificates/" of One/A');
  });

  test('go together with prefixes of their own, or in different places', () => {
    const app = new App();
    const elsewhere = new Stack(app, 'Elsewhere', { env: { account, region: 'eu-west-1' } });
    const one = site('One', app);
    expect(two(one, one, 'site/')).not.toThrow();
    expect(two(site('Two'), elsewhere)).not.toThrow();
  });

  test('are not judged where nobody knows the place', () => {
    const app = new App();
    expect(two(new Stack(app, 'Dev'), new Stack(app, 'Prod'))).not.toThrow();
  });
});

describe('a KMS key', () => {
  test('of the app lets readers of other accounts decrypt, through Secrets Manager and nothing else', () => {
    const stack = site();
    const encryptionKey = new Key(stack, 'Key');
    const readers = [`arn:aws:iam::${other}:role/reader`, `arn:aws:iam::${other}:root`];
    new CertificateRenewal(stack, 'Certificates', {
      ...base,
      certificates: [{ ...www, readers }],
      encryptionKey,
    });
    const [key] = Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'));
    const statements = key?.Properties.KeyPolicy.Statement.filter(
      ({ Action }: { readonly Action: unknown }) => Action === 'kms:Decrypt',
    );
    const through = { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' };
    const principal = { AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:iam::${other}:root`]] } };
    expect(statements).toMatchObject([
      { Principal: principal, Condition: { StringEquals: { ...through, 'aws:PrincipalArn': readers[0] } } },
      { Principal: principal, Condition: { StringEquals: through } },
    ]);
    expect(statements[1].Condition.StringEquals).not.toHaveProperty('aws:PrincipalArn');
  });

  test('of a replica may be a token', () => {
    const stack = site();
    const key = new Key(stack, 'Key');
    const replicas = [{ region: 'eu-west-1', encryptionKey: key.keyArn }];
    const certificates = [{ ...www, replicas }];
    expect(() => new CertificateRenewal(stack, 'Certificates', { ...base, certificates })).not.toThrow();
  });

  test('that is the text of an ARN is told how to be one', () => {
    const encryptionKey = 'arn:aws:kms:us-east-1:111111111111:key/a' as never;
    expect(() => new CertificateRenewal(site(), 'Certificates', { ...base, encryptionKey })).toThrow(
      'encryptionKey: found no key, allowed: a KMS key, Key.fromKeyArn',
    );
  });

  test('under a misspelt name is found', () => {
    const misspelt = { ...base, encryptionKy: 'arn' };
    expect(() => new CertificateRenewal(site(), 'Certificates', misspelt)).toThrow(
      'encryptionKy: found an unknown key (did you mean "encryptionKey"?)',
    );
  });
});

test('no props at all are a mistake like others', () => {
  expect(() => new CertificateRenewal(site(), 'Certificates', undefined as never)).toThrow('config: found nothing');
});

test("a replica in the secret's own region is refused", () => {
  const certificates = [{ ...www, replicas: ['us-east-1'] }];
  expect(() => new CertificateRenewal(site(), 'Certificates', { ...base, certificates })).toThrow(
    'certificates[0].replicas: found us-east-1, where the secret itself is, allowed: other regions',
  );
});

test('a reader of the own account is refused, where that is known: its own policy decides there', () => {
  const readers = [`arn:aws:iam::${account}:role/web`, `arn:aws:iam::${other}:role/web`];
  const props = { ...base, certificates: [{ ...www, readers }] };
  const made = (stack: Stack) =>
    new CertificateRenewal(stack, 'Certificates', { ...props, encryptionKey: new Key(stack, 'Key') });
  expect(() => made(site())).toThrow(
    /certificates\[0\]\.readers: found arn:aws:iam::111111111111:role\/web, which is of this account, allowed: others, and grantRead for those of this one$/,
  );
  expect(() => made(new Stack(new App(), 'Anywhere'))).not.toThrow();
});

test('a grantee without a policy is refused, and is told of readers', () => {
  const certificates = new CertificateRenewal(site(), 'Certificates', base);
  expect(() => certificates.grantRead('www', new ArnPrincipal(`arn:aws:iam::${other}:role/x`))).toThrow(
    'grantRead("www"): found a grantee without a policy of its own',
  );
});

test('a prefix that no renewal may have is refused for its readers too', () => {
  expect(() => CertificateRenewal.fromPrefix(site(), 'Reader', { secretPrefix: '/' })).toThrow(
    'secretPrefix: found "/"',
  );
});

test('a role for challenges in a stack of another account gives its ARN to the renewal', () => {
  const app = new App();
  const theirs = new Stack(app, 'Zones', { env: { account: other, region: 'us-east-1' } });
  const { role } = new ChallengeRole(theirs, 'Challenges', {
    trustedRole: `arn:aws:iam::${account}:role/challenge`,
    hostedZones: [zone],
    names: ['example.com'],
  });
  new CertificateRenewal(site('Site', app), 'Certificates', {
    ...base,
    hostedZones: [{ ...zone, roleArn: role.roleArn }],
  });
  expect(() => app.synth()).not.toThrow();
});
