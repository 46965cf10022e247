import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Aws, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  AccountPrincipal,
  AccountRootPrincipal,
  ArnPrincipal,
  CompositePrincipal,
  type IGrantable,
  OrganizationPrincipal,
  Role,
  ServicePrincipal,
  StarPrincipal,
  User,
} from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone, type IHostedZone, PrivateHostedZone, PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, test } from 'vitest';
import {
  type CertificateProps,
  CertificateRenewal,
  type CertificateRenewalProps,
  zeroSsl,
} from '../../../infra/index.ts';
import type { DeployedConfig } from '../../../lambdas/domain/contract/config.ts';
import { expectMistakes, mistakesOf } from '../mistakes.ts';
import { smallConfig } from '../synthesized.ts';

/** Creates the construct in a stack. The props may refer to objects of that stack. */
function renewalWith(
  propsOf: (stack: Stack) => Partial<CertificateRenewalProps>,
  stack = new Stack(new App(), 'Site'),
) {
  new CertificateRenewal(stack, 'Certificates', {
    ...smallConfig,
    encryptionKey: new Key(stack, 'Key'),
    ...propsOf(stack),
  });
  return stack;
}

const withZones = (zonesOf: (stack: Stack) => CertificateRenewalProps['hostedZones']) =>
  renewalWith((stack) => ({ hostedZones: zonesOf(stack) ?? [] }));
const withCertificate = (fields: (stack: Stack) => Partial<CertificateProps>) =>
  renewalWith((stack) => ({ certificates: [{ name: 'www', identifiers: ['example.com'], ...fields(stack) }] }));

const tokensOf = (stack: Stack): string => {
  const checks = Template.fromStack(stack).findResources('AWS::Lambda::Function', {
    Properties: { Environment: { Variables: { CONFIG_TOKENS: Match.anyValue() } } },
  });
  return JSON.stringify(Object.values(checks)[0]?.Properties.Environment.Variables.CONFIG_TOKENS);
};

describe('hosted zones', () => {
  test('can be zones of the app and zones that are known by their attributes', () => {
    const stack = withZones((stack) => [
      new PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' }),
      HostedZone.fromHostedZoneAttributes(stack, 'Other', { hostedZoneId: 'Z0000000001', zoneName: 'example.org' }),
    ]);
    expect(tokensOf(stack)).toContain('{"Ref":"Zone');
    expect(configOf(stack)?.hostedZones.map(({ id, name }) => `${id} ${name}`)).toEqual([
      '@0 example.com',
      'Z0000000001 example.org',
    ]);
  });

  test('can have a role and be for challenges only', () => {
    const stack = withZones((stack) => [
      {
        zone: new PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' }),
        role: Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::444455556666:role/challenge'),
        externalId: 'a-text',
        challengesOnly: true,
      },
    ]);
    const [zone] = configOf(stack)?.hostedZones ?? [];
    expect(zone).toMatchObject({
      name: 'example.com',
      challengesOnly: true,
      role: { arn: 'arn:aws:iam::444455556666:role/challenge', externalId: 'a-text' },
    });
  });

  test.each<[string, (stack: Stack) => IHostedZone, RegExp]>([
    ['a zone without a name', (stack) => HostedZone.fromHostedZoneId(stack, 'Zone', 'Z0123456789'), /without a name/],
    [
      'a zone whose name is a token',
      (stack) => new PublicHostedZone(stack, 'Zone', { zoneName: Lazy.string({ produce: () => 'example.com' }) }),
      /name is a CDK token.*\{ id: zone\.hostedZoneId/,
    ],
    [
      'a private zone',
      (stack) => new PrivateHostedZone(stack, 'Zone', { zoneName: 'example.com', vpc: new Vpc(stack, 'Vpc') }),
      /private/,
    ],
    [
      'a zone that is associated with a VPC',
      (stack) => new HostedZone(stack, 'Zone', { zoneName: 'example.com', vpcs: [new Vpc(stack, 'Vpc')] }),
      /private/,
    ],
  ])('cannot be %s', (_, zoneOf, sentence) => {
    for (const wrap of [(zone: IHostedZone) => zone, (zone: IHostedZone) => ({ zone })])
      expect(mistakesOf(() => withZones((stack) => [wrap(zoneOf(stack))]))).toEqual([expect.stringMatching(sentence)]);
  });

  test('reject unknown keys beside a zone', () => {
    const zones = (stack: Stack) => [
      { zone: new PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' }), hostedZoneName: 'x' },
    ];
    expectMistakes(() => withZones(zones), ['hostedZones[0].hostedZoneName', 'unknown key']);
  });
});

describe('readers', () => {
  const readersOf = (stack: Stack) => JSON.stringify(configOf(stack)?.certificates[0]?.readers ?? []);

  test.each<[string, (stack: Stack) => IGrantable, string]>([
    ['an account', () => new AccountPrincipal('444455556666'), 'iam::444455556666:root'],
    ['an ARN', () => new ArnPrincipal('arn:aws:iam::444455556666:role/web'), 'role/web'],
    [
      'a role of another account',
      (stack) => Role.fromRoleArn(stack, 'Web', 'arn:aws:iam::444455556666:role/web'),
      'role/web',
    ],
    [
      'a user of another account',
      (stack) => User.fromUserArn(stack, 'Web', 'arn:aws:iam::444455556666:user/web'),
      'user/web',
    ],
  ])('can be %s', (_, readerOf, arn) => {
    const stack = withCertificate((stack) => ({ readers: [readerOf(stack)] }));
    expect(readersOf(stack) + tokensOf(stack)).toContain(arn);
  });

  test.each<[string, IGrantable]>([
    ['an organization', new OrganizationPrincipal('o-1234567890')],
    ['everyone', new StarPrincipal()],
    ['a service', new ServicePrincipal('ec2.amazonaws.com')],
    ['a principal with conditions', new AccountPrincipal('444455556666').withConditions({ Bool: { a: 'true' } })],
    ['a principal with session tags', new AccountPrincipal('444455556666').withSessionTags()],
    ['the account of the stack', new AccountRootPrincipal()],
    ['all roles of an account', new ArnPrincipal('arn:aws:iam::444455556666:role/*')],
    ['a session', new ArnPrincipal('arn:aws:sts::444455556666:assumed-role/web/session')],
    ['an ARN that is none', new ArnPrincipal('web')],
    [
      'two principals',
      new CompositePrincipal(new AccountPrincipal('444455556666'), new AccountPrincipal('777788889999')),
    ],
  ])('cannot be %s, because the ARN alone would let in others', (_, reader) => {
    expectMistakes(
      () => withCertificate(() => ({ readers: [reader] })),
      ['certificates[0].readers[0]', 'exactly one ARN'],
    );
  });

  test.each<[string, (stack: Stack) => IGrantable, string]>([
    ['the account', () => new AccountPrincipal('111122223333'), '111122223333'],
    ['a role', (stack) => new Role(stack, 'Web', { assumedBy: new AccountPrincipal('111122223333') }), '111122223333'],
    ['a role', (stack) => new Role(stack, 'Web', { assumedBy: new AccountPrincipal('444455556666') }), ''],
  ])('cannot be %s of the stack, for which grantRead is meant', (_, readerOf, account) => {
    const stack = new Stack(new App(), 'Site', account ? { env: { account, region: 'eu-west-1' } } : {});
    const props = () => ({ certificates: [{ name: 'www', identifiers: ['example.com'], readers: [readerOf(stack)] }] });
    expectMistakes(() => renewalWith(props, stack), ['certificates[0].readers[0]', 'this account', 'use grantRead']);
  });

  test('that are an account let each of its roles decrypt with the key', () => {
    const stack = withCertificate(() => ({ readers: [new AccountPrincipal('444455556666')] }));
    const [key] = Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'));
    const statements: readonly {
      readonly Principal: unknown;
      readonly Condition?: { readonly StringEquals?: object };
    }[] = key?.Properties.KeyPolicy.Statement;
    const [decryption] = statements.filter(({ Principal }) => JSON.stringify(Principal).includes('444455556666'));
    expect(Object.keys(decryption?.Condition?.StringEquals ?? {})).toEqual(['kms:ViaService']);
  });
});

test('the key of a replica and the secret of an external account binding can be objects', () => {
  const stack = renewalWith((stack) => ({
    issuer: zeroSsl({
      termsOfServiceAgreed: true,
      externalAccountBinding: new Secret(stack, 'Binding'),
    }),
    certificates: [
      {
        name: 'www',
        identifiers: ['example.com'],
        replicas: [
          {
            region: 'eu-west-1',
            encryptionKey: Key.fromKeyArn(stack, 'There', 'arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab'),
          },
        ],
      },
    ],
  }));
  expect(tokensOf(stack)).toContain('{"Ref":"Binding');
  expect(configOf(stack)?.certificates[0]?.replicas?.[0]?.encryptionKey).toContain('eu-west-1:123456789012:key');
});

test('a key cannot be an alias, because a policy has to name the key', () => {
  const replicasOf = (stack: Stack) => [
    { region: 'eu-west-1', encryptionKey: Alias.fromAliasName(stack, 'There', 'alias/there') },
  ];
  expectMistakes(
    () => withCertificate((stack) => ({ replicas: replicasOf(stack) })),
    ['certificates[0].replicas[0].encryptionKey', 'a KMS key, and not an alias'],
  );
  expectMistakes(
    () => renewalWith((stack) => ({ encryptionKey: Alias.fromAliasName(stack, 'Here', 'alias/here') })),
    ['encryptionKey', 'and not an alias'],
  );
});

test('a secret without a complete ARN cannot be an external account binding', () => {
  const issuerOf = (stack: Stack) =>
    zeroSsl({ termsOfServiceAgreed: true, externalAccountBinding: Secret.fromSecretNameV2(stack, 'Binding', 'acme') });
  expectMistakes(
    () => renewalWith((stack) => ({ issuer: issuerOf(stack) })),
    ['issuer.externalAccountBinding', 'complete ARN is known'],
  );
});

describe('the region of the stack', () => {
  test('can be a region of acm, also if it is not known at synth', () => {
    const stack = withCertificate((stack) => ({ acm: [stack.region, 'us-east-1'] }));
    const [certificates] = stack.node.findAll().filter((each) => each instanceof CertificateRenewal);
    certificates?.certificate('www', stack.region);
    expect(tokensOf(stack)).toContain('{"Ref":"AWS::Region"}');
    Template.fromStack(stack).hasResourceProperties('Custom::PerennialCertificate', { Region: { Ref: 'AWS::Region' } });
  });

  test('is the only token that acm accepts', () => {
    const other = Lazy.string({ produce: () => 'eu-west-1' });
    expectMistakes(
      () => withCertificate(() => ({ acm: [other] })),
      ['certificates[0].acm[0]', 'Stack.of(this).region'],
    );
    const known = new Stack(new App(), 'Known', { env: { region: 'eu-west-1' } });
    const ofAnyStack = () => ({ certificates: [{ name: 'www', identifiers: ['example.com'], acm: [Aws.REGION] }] });
    expectMistakes(() => renewalWith(ofAnyStack, known), ['certificates[0].acm[0]', 'Stack.of(this).region']);
  });
});

describe('the removal policy', () => {
  test.each([
    [RemovalPolicy.DESTROY, 'Delete', false],
    [RemovalPolicy.RETAIN, 'Retain', true],
    [undefined, 'Retain', true],
  ])('%s gives the ledger table the deletion policy %s and the deletion protection %s', (policy, deletion, guarded) => {
    const template = Template.fromStack(renewalWith(() => (policy ? { removalPolicy: policy } : {})));
    const [table] = Object.values(template.findResources('AWS::DynamoDB::Table'));
    expect([table?.DeletionPolicy, table?.Properties.DeletionProtectionEnabled]).toEqual([deletion, guarded]);
  });

  test('has to be DESTROY or RETAIN', () => {
    expectMistakes(
      () => renewalWith(() => ({ removalPolicy: RemovalPolicy.SNAPSHOT })),
      ['removalPolicy', 'RemovalPolicy.DESTROY'],
    );
  });
});

test('every resource of the construct is inside it, so that tags and aspects reach all of them', () => {
  const stack = renewalWith((stack) => ({
    encryptionKey: Key.fromKeyArn(stack, 'Imported', 'arn:aws:kms:eu-west-1:123456789012:key/0123'),
  }));
  const resources = Object.values(Template.fromStack(stack).toJSON().Resources as Record<string, { Type: string }>);
  expect(resources.filter(({ Type }) => Type === 'AWS::IAM::Role').length).toBeGreaterThan(8);
  const outside = stack.node.children.filter(
    ({ node }) => !['Certificates', 'Key', 'Imported', 'BootstrapVersion', 'CheckBootstrapVersion'].includes(node.id),
  );
  expect(outside.map(({ node }) => node.id)).toEqual([]);
});

/** Returns the file config.json of the check function. */
function configOf(stack: Stack): DeployedConfig | undefined {
  const { directory } = (stack.node.root as App).synth();
  const [file] = globSync(join(directory, 'asset.*', 'config.json'));
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as DeployedConfig);
}
