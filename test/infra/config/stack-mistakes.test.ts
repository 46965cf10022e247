import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
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
import {
  CertificateRenewal,
  type CertificateRenewalProps,
  ChallengeRole,
  letsEncrypt,
  zeroSsl,
} from '../../../infra/index.ts';
import { type Expected, expectMistakes } from '../mistakes.ts';

/** Tests with CDK apps that have more in them than certificates. */

const account = '111111111111';
const other = '222222222222';
const env = { account, region: 'us-east-1' };
const zone = { id: 'Z0123456789', name: 'example.com' };
const www = { name: 'www', identifiers: ['example.com'], acm: ['us-east-1', 'eu-west-1'] };
const base = { issuer: letsEncrypt({ termsOfServiceAgreed: true }), hostedZones: [zone], certificates: [www] };
const site = (id = 'Site', app = new App()) => new Stack(app, id, { env });
const expectRejected = (change: object, ...expected: readonly Expected[]) =>
  expectMistakes(
    () => new CertificateRenewal(site(), 'Certificates', { ...base, ...change } as CertificateRenewalProps),
    ...expected,
  );

const distribution = (stack: Stack, certificates: CertificateRenewal) =>
  new Distribution(stack, 'Distribution', {
    domainNames: ['example.com'],
    certificate: certificates.certificate('www', 'us-east-1'),
    defaultBehavior: { origin: new HttpOrigin('origin.example.com') },
  });

test('a rule for renewals may start a function that knows the distribution with the certificate', () => {
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
  // Throws for a circular dependency.
  expect(Template.fromStack(stack).resourceCountIs('AWS::Events::Rule', 2)).toBeUndefined();
});

test('a resource that depends on a certificate is created after its delivery', () => {
  const stack = site();
  const certificates = new CertificateRenewal(stack, 'Certificates', base);
  const topic = new Topic(stack, 'Topic');
  topic.node.addDependency(certificates.certificate('www', 'us-east-1'));
  const [made] = Object.values(Template.fromStack(stack).findResources('AWS::SNS::Topic'));
  expect(String(made?.DependsOn)).toMatch(/^CertificatesCertificateRequestswwwuseast1/);
});

test('a load balancer with a certificate of another region is rejected', () => {
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
    /Certificate www.*Site\/Balancer\/Https\/Resource.*us-east-1.*eu-west-1.*certificate\('www', 'eu-west-1'\)/,
  );
});

test('zones that the CDK has not looked up yet are accepted', () => {
  const stack = site();
  const hostedZones = ['example.com', 'example.net'].map((domainName) => {
    const { hostedZoneId, zoneName } = HostedZone.fromLookup(stack, domainName, { domainName });
    return { id: hostedZoneId, name: zoneName };
  });
  expect(hostedZones[0]?.id).toBe('DUMMY');
  expect(() => new CertificateRenewal(stack, 'Certificates', { ...base, hostedZones })).not.toThrow();
});

describe('two renewals in one app', () => {
  const two = (first: Stack, second: Stack, secretPrefix?: string) => () => {
    new CertificateRenewal(first, 'A', base);
    new CertificateRenewal(second, 'B', { ...base, ...(secretPrefix !== undefined && { secretPrefix }) });
  };

  test.each([undefined, 'certificates/site/', 'certificates-accounts/'])(
    'are rejected in one stack if the second has the prefix %s',
    (prefix) => {
      const stack = site();
      expectMistakes(two(stack, stack, prefix), ['secretPrefix', prefix ?? 'certificates/', 'overlaps', 'Site/A']);
    },
  );

  test('are rejected in two stacks of one account and region if the prefix is the same', () => {
    const app = new App();
    expectMistakes(two(site('One', app), site('Two', app)), ['secretPrefix', '"certificates/" of One/A']);
  });

  test('are accepted with different prefixes, or in different regions', () => {
    const app = new App();
    const elsewhere = new Stack(app, 'Elsewhere', { env: { account, region: 'eu-west-1' } });
    const one = site('One', app);
    expect(two(one, one, 'site/')).not.toThrow();
    expect(two(site('Two'), elsewhere)).not.toThrow();
  });

  test('are rejected if an account or a region is not known, because it may be the same', () => {
    const app = new App();
    const unknown = ['secretPrefix', '"certificates/" of', 'set env of both stacks'] as const;
    expectMistakes(two(new Stack(app, 'Dev'), new Stack(app, 'Prod')), unknown);
    const half = new App();
    expectMistakes(two(site('Known', half), new Stack(half, 'Region', { env: { region: env.region } })), unknown);
  });
});

describe('a KMS key', () => {
  test('of the app allows readers of other accounts to decrypt, only through Secrets Manager', () => {
    const stack = site();
    const encryptionKey = new Key(stack, 'Key');
    const readers = [`arn:aws:iam::${other}:role/one`, `arn:aws:iam::${other}:role/two`];
    const whole = 'arn:aws:iam::333333333333:';
    new CertificateRenewal(stack, 'Certificates', {
      ...base,
      certificates: [{ ...www, readers: [...readers, `${whole}role/three`, `${whole}root`] }],
      encryptionKey,
    });
    const [key] = Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'));
    const statements = key?.Properties.KeyPolicy.Statement.filter(
      ({ Action }: { readonly Action: unknown }) => Action === 'kms:Decrypt',
    );
    const through = { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' };
    const principal = { AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:iam::${other}:root`]] } };
    expect(statements).toMatchObject([
      { Principal: principal, Condition: { StringEquals: { ...through, 'aws:PrincipalArn': readers } } },
      { Principal: { AWS: expect.anything() }, Condition: { StringEquals: through } },
    ]);
    expect(statements[1].Condition.StringEquals).not.toHaveProperty('aws:PrincipalArn');
  });

  test('with readers takes about 400 of one account, and is rejected at synth if its policy is too large', () => {
    const synth = (count: number) => {
      const app = new App();
      const stack = site('Site', app);
      const readers = Array.from(
        { length: count },
        (_, index) => `arn:aws:iam::${other}:role/${String(index).padStart(30, 'r')}`,
      );
      const certificates = Array.from({ length: 10 }, (_, index) => ({
        name: `www-${index}`,
        identifiers: [`${index}.example.com`],
        readers: readers.slice(index * (count / 10), (index + 1) * (count / 10)),
      }));
      new CertificateRenewal(stack, 'Certificates', { ...base, certificates, encryptionKey: new Key(stack, 'Key') });
      return () => app.synth();
    };
    expect(synth(400)).not.toThrow();
    expect(synth(500)).toThrow(/encryptionKey: the policy of Site\/Key has \d+ bytes; expected at most 32768/);
  });

  test('of a replica may be a token', () => {
    const stack = site();
    const key = new Key(stack, 'Key');
    const replicas = [{ region: 'eu-west-1', encryptionKey: key.keyArn }];
    const certificates = [{ ...www, replicas }];
    expect(() => new CertificateRenewal(stack, 'Certificates', { ...base, certificates })).not.toThrow();
  });

  test('may not be an ARN in the construct', () => {
    const encryptionKey = 'arn:aws:kms:us-east-1:111111111111:key/a';
    expectRejected({ encryptionKey }, ['encryptionKey', encryptionKey, 'Key.fromKeyArn']);
  });

  test('is suggested for a misspelled name', () => {
    expectRejected({ encryptionKy: 'arn' }, ['encryptionKy', 'unknown key', 'did you mean "encryptionKey"?']);
  });

  test('is required if a certificate has readers in other accounts', () => {
    const certificates = [{ ...www, readers: [`arn:aws:iam::${other}:root`] }];
    expectRejected({ certificates }, ['encryptionKey', 'missing', 'certificates[0]', 'readers', 'a KMS key']);
  });
});

test('absent props are a mistake', () => {
  const make = () => new CertificateRenewal(site(), 'Certificates', undefined as never);
  expectMistakes(make, ['config', 'missing', 'an object with issuer']);
});

test("a replica in the secret's own region is rejected", () => {
  const certificates = [{ ...www, replicas: ['us-east-1'] }];
  expectRejected({ certificates }, ['certificates[0].replicas', 'us-east-1', 'other regions']);
});

test('mistakes of the stack are reported together with the others', () => {
  const certificates = [{ ...www, name: 'WWW', replicas: ['us-east-1'] }];
  expectRejected(
    { certificates, encryptionKey: 'alias/mine' },
    ['encryptionKey'],
    ['certificates[0].name'],
    ['certificates[0].replicas'],
  );
});

test('a reader of this account is rejected if the account is known', () => {
  const readers = [`arn:aws:iam::${account}:role/web`, `arn:aws:iam::${other}:role/web`];
  const props = { ...base, certificates: [{ ...www, readers }] };
  const made = (stack: Stack) =>
    new CertificateRenewal(stack, 'Certificates', { ...props, encryptionKey: new Key(stack, 'Key') });
  expectMistakes(() => made(site()), ['certificates[0].readers', `${account}:role/web`, 'this account', 'grantRead']);
  expect(() => made(new Stack(new App(), 'Anywhere'))).not.toThrow();
});

test('a grantee without a policy is rejected', () => {
  const certificates = new CertificateRenewal(site(), 'Certificates', base);
  const grant = () => certificates.grantRead('www', new ArnPrincipal(`arn:aws:iam::${other}:role/x`));
  expectMistakes(grant, ['grantRead("www")', 'without a policy', 'readers']);
});

test('fromPrefix rejects a prefix that a renewal may not have', () => {
  const make = () => CertificateRenewal.fromPrefix(site(), 'Reader', { secretPrefix: '/' });
  expectMistakes(make, ['secretPrefix', '"/"', 'a prefix such as']);
});

test('a renewal may use the ARN of a challenge role that is in a stack of another account', () => {
  const app = new App();
  const zones = new Stack(app, 'Zones', { env: { account: other, region: 'us-east-1' } });
  const { role } = new ChallengeRole(zones, 'Challenges', {
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

describe('a partition other than that of the stack', () => {
  const china = 'aws-cn';
  const role = `arn:${china}:iam::${other}:role/challenges`;
  const rejected = (change: object, path: string, value: string) =>
    expectRejected(change, [path, value, 'of the partition aws-cn', 'which is aws in us-east-1']);

  test('is rejected in regions and ARNs', () => {
    rejected({ certificates: [{ ...www, acm: ['cn-north-1'] }] }, 'certificates[0].acm', 'cn-north-1');
    rejected({ certificates: [{ ...www, replicas: ['cn-north-1'] }] }, 'certificates[0].replicas', 'cn-north-1');
    rejected({ hostedZones: [{ ...zone, roleArn: role }] }, 'hostedZones[0].roleArn', role);
    const key = `arn:${china}:kms:cn-north-1:${account}:key/a`;
    rejected({ encryptionKey: Key.fromKeyArn(site(), 'Key', key) }, 'encryptionKey', key);
    const encryptionKey = Key.fromKeyArn(site(), 'Key', `arn:aws:kms:us-east-1:${account}:key/a`);
    rejected({ encryptionKey, certificates: [{ ...www, readers: [role] }] }, 'certificates[0].readers', role);
    const externalAccountBinding = `arn:${china}:secretsmanager:cn-north-1:${account}:secret:eab-AbCdEf`;
    const issuer = zeroSsl({ termsOfServiceAgreed: true, externalAccountBinding });
    rejected({ issuer }, 'zerossl.externalAccountBinding', 'eab-AbCdEf');
  });

  test('is accepted in a stack whose region is not known', () => {
    const stack = new Stack(new App(), 'Anywhere');
    const certificates = [{ ...www, acm: ['cn-north-1'] }];
    expect(() => new CertificateRenewal(stack, 'Certificates', { ...base, certificates })).not.toThrow();
  });
});

test('more readers than fit into the policies of a role give a warning, because every secret below the prefix can be shared', () => {
  const warnings = (count: number) => {
    const stack = site();
    const certificates = Array.from({ length: count }, (_, index) => ({
      name: `www-${index}`,
      identifiers: [`${index}.example.com`],
      readers: [`arn:aws:iam::${other}:root`],
    }));
    new CertificateRenewal(stack, 'Certificates', { ...base, certificates, encryptionKey: new Key(stack, 'Key') });
    return Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('289 of them have readers')).length;
  };
  expect([warnings(288), warnings(289)]).toEqual([0, 1]);
});
