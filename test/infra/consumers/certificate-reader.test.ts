import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CloudWatchLogGroup } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { CertificateRenewal } from '../../../infra/index.ts';
import { readersPolicy } from '../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { expectMistakes } from '../mistakes.ts';
import { type Context, simulate, without } from '../policy-simulator.ts';
import { ofType, type PolicyDocument, policiesOf, resolve, smallConfig, synthesize } from '../synthesized.ts';

const secret = (name: string, region = 'eu-central-1') =>
  `arn:aws:secretsmanager:${region}:123456789012:secret:${name}`;
const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';
const renewalOf = (stack: Stack) => stack.node.findChild('Certificates') as CertificateRenewal;
const readerIn = (stack: Stack) => new Role(stack, 'Reader', { assumedBy: new AccountPrincipal('123456789012') });

const withReader = synthesize(
  smallConfig,
  (stack) => {
    renewalOf(stack).grantRead('www', readerIn(stack));
    const logGroup = new LogGroup(stack, 'Events');
    renewalOf(stack).onRenewed('WwwRenewed', { certificate: 'www', target: new CloudWatchLogGroup(logGroup) });
    renewalOf(stack).onRenewed('AnyRenewed');
  },
  (stack) => Key.fromKeyArn(stack, 'Key', keyArn),
);
const identityPolicies = policiesOf('Reader', withReader).inline;

function allows(
  action: string,
  resource: string,
  contextVariables: Context = {},
  by: {
    readonly identity?: readonly PolicyDocument[];
    readonly resourcePolicy?: object;
    readonly account?: string;
  } = {},
): Promise<boolean> {
  const { identity = identityPolicies, resourcePolicy, account = '123456789012' } = by;
  const principal = `arn:aws:iam::${account}:role/Reader`;
  return simulate({
    request: {
      principal,
      action,
      resource: { resource, accountId: '123456789012' },
      contextVariables: { 'aws:PrincipalArn': principal, ...contextVariables },
    },
    identityPolicies: identity.map((policy, index) => ({ name: `policy-${index}`, policy })),
    ...(resourcePolicy && { resourcePolicy }),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  });
}

/** The condition keys of a request that Secrets Manager sends to KMS for the secret of a certificate. */
const throughSecretsManager = (name = 'www-AbCdEf', service = 'secretsmanager', region = 'eu-central-1') => ({
  'kms:ViaService': `${service}.${region}.amazonaws.com`,
  'kms:EncryptionContext:SecretARN': secret(`certificates/${name}`, region),
});

/** Simulates GetSecretValue. As in AWS, a parameter that is not given has no condition key. */
const asked = (
  { stage, version }: { readonly stage?: string; readonly version?: string },
  resource = secret('certificates/www-AbCdEf'),
  by: Parameters<typeof allows>[3] = {},
) =>
  allows(
    'secretsmanager:GetSecretValue',
    resource,
    {
      ...(stage && { 'secretsmanager:VersionStage': stage }),
      ...(version && { 'secretsmanager:VersionId': version }),
    },
    by,
  );

const requests: [string, Parameters<typeof asked>[0], boolean][] = [
  ['no stage', {}, true],
  ['AWSCURRENT', { stage: 'AWSCURRENT' }, true],
  ['AWSPREVIOUS', { stage: 'AWSPREVIOUS' }, true],
  ['CANDIDATE', { stage: 'CANDIDATE' }, false],
  ['COMPROMISED', { stage: 'COMPROMISED' }, false],
  ['a version by its id', { version: '0'.repeat(64) }, false],
  ['a version by its id and AWSCURRENT', { version: '0'.repeat(64), stage: 'AWSCURRENT' }, false],
];

describe('a reader with a grant', () => {
  test.each(requests)('that requests %s is allowed or denied as expected', async (_, request, allowed) => {
    expect(await asked(request)).toBe(allowed);
  });

  test.each(['certificates/www2-AbCdEf', 'certificates/www-eu-AbCdEf', 'certificates/mail-AbCdEf', 'certificates/www'])(
    'may not read %s',
    async (name) => {
      expect(await asked({}, secret(name))).toBe(false);
    },
  );

  test('may describe this secret and no other, because AWS clients look for new versions in this way', async () => {
    const describe = (name: string) => allows('secretsmanager:DescribeSecret', secret(name));
    expect(await describe('certificates/www-AbCdEf')).toBe(true);
    expect(await describe('certificates/mail-AbCdEf')).toBe(false);
  });

  test('may not write or list', async () => {
    for (const action of ['PutSecretValue', 'ListSecretVersionIds', 'UpdateSecretVersionStage'])
      expect(await allows(`secretsmanager:${action}`, secret('certificates/www-AbCdEf')), action).toBe(false);
  });

  test('may decrypt with the key, only through Secrets Manager and only this secret', async () => {
    const decrypts = (keys: Context, key = keyArn) => allows('kms:Decrypt', key, keys);
    expect(await decrypts(throughSecretsManager())).toBe(true);
    for (const key of Object.keys(throughSecretsManager()))
      expect(await decrypts(without(throughSecretsManager(), key)), key).toBe(false);
    for (const [service, name] of [
      ['dynamodb', 'www-AbCdEf'],
      ['secretsmanager', 'mail-AbCdEf'],
      ['secretsmanager', 'www-more-AbCdEf'],
    ] as const)
      expect(await decrypts(throughSecretsManager(name, service)), name).toBe(false);
    expect(await decrypts(throughSecretsManager(), `${keyArn}0`)).toBe(false);
    expect(await allows('kms:GenerateDataKey', keyArn, throughSecretsManager())).toBe(false);
  });
});

describe('a reader of another account', () => {
  const resourcePolicy = readersPolicy(['arn:aws:iam::444455556666:role/Reader']);
  const ownPolicies: PolicyDocument[] = [
    {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'secretsmanager:*', Resource: '*' }],
    },
  ];
  const by = { identity: ownPolicies, resourcePolicy, account: '444455556666' };

  test.each(requests)(
    'that the resource policy names and that requests %s is allowed or denied as expected',
    async (_, request, allowed) => {
      expect(await asked(request, undefined, by)).toBe(allowed);
    },
  );

  test('may describe the secret, and may not write it', async () => {
    const may = (action: string) => allows(`secretsmanager:${action}`, secret('certificates/www-AbCdEf'), {}, by);
    expect(await may('DescribeSecret')).toBe(true);
    expect(await may('PutSecretValue')).toBe(false);
  });

  test('is denied if the resource policy names another account or another role', async () => {
    expect(await asked({}, undefined, { ...by, account: '777788889999' })).toBe(false);
    const another = readersPolicy(['arn:aws:iam::444455556666:role/Another']);
    expect(await asked({}, undefined, { ...by, resourcePolicy: another })).toBe(false);
  });

  test('is allowed by its own policies if the resource policy names its account', async () => {
    const whole = { ...by, resourcePolicy: readersPolicy(['arn:aws:iam::444455556666:root']) };
    expect(await asked({}, undefined, whole)).toBe(true);
    expect(await asked({ stage: 'CANDIDATE' }, undefined, whole)).toBe(false);
    expect(await asked({}, undefined, { ...whole, identity: [] })).toBe(false);
    expect(await asked({}, undefined, { ...whole, account: '777788889999' })).toBe(false);
  });
});

describe('the function that stores certificates', () => {
  const roleWith = (config: Parameters<typeof synthesize>[0]) =>
    policiesOf(
      'CertificatesCertificateRole',
      synthesize(
        config,
        () => undefined,
        (stack) => Key.fromKeyArn(stack, 'Key', keyArn),
      ),
    );
  const taggedByStack = { 'aws:ResourceTag/perennial:stack': 'Perennial' };
  const noOverwrite = { 'secretsmanager:ForceOverwriteReplicaSecret': 'false' };
  const shared = {
    ...smallConfig,
    certificates: smallConfig.certificates.map((each) => ({
      ...each,
      replicas: [{ region: 'eu-west-1', encryptionKey: 'arn:aws:kms:eu-west-1:123456789012:key/replica' }],
      readers: ['arn:aws:iam::444455556666:role/Reader'],
    })),
  };
  const withKey = roleWith(shared).inline;

  test('may remove readers and replicas, and may add them only for certificates that have some', async () => {
    const may = (action: string, identity: readonly PolicyDocument[], context = {}) =>
      allows(
        `secretsmanager:${action}`,
        secret('certificates/www-AbCdEf'),
        { ...taggedByStack, ...context },
        { identity },
      );
    const notPublic = { 'secretsmanager:BlockPublicPolicy': 'true' };
    const plain = roleWith(smallConfig).inline;
    for (const action of ['GetResourcePolicy', 'DeleteResourcePolicy', 'RemoveRegionsFromReplication']) {
      expect(await may(action, plain), action).toBe(true);
      expect(await may(action, plain, { 'aws:ResourceTag/perennial:stack': 'Another' }), action).toBe(false);
    }
    expect(await may('PutResourcePolicy', plain, notPublic)).toBe(false);
    expect(await may('ReplicateSecretToRegions', plain, noOverwrite)).toBe(false);
    expect(await may('PutResourcePolicy', withKey, notPublic)).toBe(true);
    expect(await may('PutResourcePolicy', withKey)).toBe(false);
    expect(await may('ReplicateSecretToRegions', withKey, noOverwrite)).toBe(true);
    const ofAnother = { 'aws:ResourceTag/perennial:stack': 'Another' };
    expect(await may('PutResourcePolicy', withKey, { ...notPublic, ...ofAnother })).toBe(false);
    expect(await may('ReplicateSecretToRegions', withKey, { ...noOverwrite, ...ofAnother })).toBe(false);
  });

  test('may not overwrite a secret of the same name in another region', async () => {
    const may = (context: object) =>
      allows(
        'secretsmanager:ReplicateSecretToRegions',
        secret('certificates/www-AbCdEf'),
        { ...taggedByStack, ...context },
        { identity: withKey },
      );
    expect(await may(noOverwrite)).toBe(true);
    expect(await may({ 'secretsmanager:ForceOverwriteReplicaSecret': 'true' })).toBe(false);
    expect(await may({})).toBe(false);
  });

  const names = (count: number) => Array.from({ length: count }, (_, index) => `shared-${index}`);
  const sharing = (count: number) =>
    roleWith({
      ...smallConfig,
      certificates: [
        { name: 'alone', identifiers: ['alone.example.com'] },
        ...names(count).map((name) => ({
          name,
          identifiers: [`${name}.example.com`],
          replicas: ['eu-west-1'],
          readers: ['arn:aws:iam::444455556666:role/Reader'],
        })),
      ],
    });
  const mayShare = async (identity: readonly PolicyDocument[], name: string) => {
    const context = { ...taggedByStack, ...noOverwrite, 'secretsmanager:BlockPublicPolicy': 'true' };
    const may = (action: string) =>
      allows(`secretsmanager:${action}`, secret(`certificates/${name}-AbCdEf`), context, { identity });
    return [await may('PutResourcePolicy'), await may('ReplicateSecretToRegions')];
  };

  test('may not share a certificate without readers and replicas', async () => {
    const few = sharing(2).inline;
    expect(await mayShare(few, 'shared-1')).toEqual([true, true]);
    expect(await mayShare(few, 'alone')).toEqual([false, false]);
    expect(await mayShare(few, 'shared-1-more')).toEqual([false, false]);
  });

  test('has policies within the limits of IAM, which name single secrets as long as they fit', async () => {
    for (const [count, alone] of [
      [28, false],
      [144, false],
      [145, true],
    ] as const) {
      const { inline, managed } = sharing(count);
      expect(await mayShare([...inline, ...managed], `shared-${count - 1}`)).toEqual([true, true]);
      expect(await mayShare([...inline, ...managed], 'alone')).toEqual([alone, alone]);
      const characters = (policies: readonly PolicyDocument[]) =>
        policies.map((policy) => JSON.stringify(policy).length);
      expect(characters(inline).reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(10_240);
      expect(Math.max(0, ...characters(managed))).toBeLessThanOrEqual(6144);
      expect(managed.length).toBeLessThanOrEqual(10);
    }
  });

  test('may encrypt with the key of a replica only through Secrets Manager in one of the two regions, and only certificates', async () => {
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/replica';
    for (const action of ['kms:Encrypt', 'kms:GenerateDataKey']) {
      const may = (keys: Context) => allows(action, key, keys, { identity: withKey });
      for (const region of ['eu-west-1', 'eu-central-1']) {
        const keys = throughSecretsManager('www-AbCdEf', 'secretsmanager', region);
        expect(await may(keys), region).toBe(true);
        for (const each of Object.keys(keys)) expect(await may(without(keys, each)), each).toBe(false);
        expect(await may({ ...keys, 'kms:EncryptionContext:SecretARN': secret('database', region) })).toBe(false);
      }
      expect(await may(throughSecretsManager('www-AbCdEf', 'secretsmanager', 'eu-west-2'))).toBe(false);
      expect(await may(throughSecretsManager('www-AbCdEf', 'dynamodb', 'eu-west-1'))).toBe(false);
    }
    expect(await allows('kms:Decrypt', key, throughSecretsManager(), { identity: withKey })).toBe(false);
  });
});

describe('a rule for renewals', () => {
  const rules = ofType(withReader.resources, 'AWS::Events::Rule')
    .filter(([id]) => id.includes('Reader'))
    .map(([, { Properties }]) => resolve(Properties, withReader.resources) as Record<string, unknown>);

  test('matches the name of the certificate and the prefix of its secret', () => {
    expect(rules.find(({ Description }) => Description === 'Certificate www was renewed')).toMatchObject({
      EventPattern: {
        source: ['perennial'],
        'detail-type': ['Certificate Renewed'],
        detail: { certificate: ['www'], current: { secretArn: [{ prefix: secret('certificates/') }] } },
      },
      Targets: [{}],
    });
  });

  test('without a name matches all certificates with the prefix', () => {
    const { EventPattern } =
      rules.find(({ Description }) => Description === 'Certificate certificates/* was renewed') ?? {};
    expect((EventPattern as { detail: object }).detail).toEqual({
      current: { secretArn: [{ prefix: secret('certificates/') }] },
    });
  });
});

describe('in another stack', () => {
  const inAnother = (use: (stack: Stack) => void) => {
    const stack = new Stack(new App(), 'Another', { env: { account: '123456789012', region: 'eu-central-1' } });
    use(stack);
    return stack;
  };

  test('grants and rules use the prefix of the secrets', () => {
    const stack = inAnother((scope) => {
      const certificates = CertificateRenewal.fromPrefix(scope, 'Certificates', { secretPrefix: 'site/' });
      certificates.grantRead('www', readerIn(scope));
      certificates.onRenewed('Renewed', { certificate: 'www' });
    });
    const template = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(template).toContain(':secretsmanager:eu-central-1:123456789012:secret:site/www-??????');
    expect(template).toContain(':secretsmanager:eu-central-1:123456789012:secret:site/"');
  });

  test('a role of another account is rejected', () => {
    const role = (scope: Stack) => Role.fromRoleArn(scope, 'Web', 'arn:aws:iam::444455556666:role/web');
    expectMistakes(
      () => inAnother((scope) => CertificateRenewal.fromPrefix(scope, 'C').grantRead('www', role(scope))),
      ['grantRead("www")', 'account 444455556666', 'account 123456789012', 'readers'],
    );
  });

  test.each(['', 'site', 'site/*/'])('the prefix %o is rejected', (secretPrefix) => {
    expectMistakes(
      () => inAnother((scope) => CertificateRenewal.fromPrefix(scope, 'C', { secretPrefix })),
      ['secretPrefix', JSON.stringify(secretPrefix), 'a prefix such as'],
    );
  });

  test.each(['*', 'www-??????', 'Www'])('the name %o is rejected', (name) => {
    expectMistakes(
      () => inAnother((scope) => CertificateRenewal.fromPrefix(scope, 'C').grantRead(name, readerIn(scope))),
      ['certificate', JSON.stringify(name), "a certificate's name"],
    );
  });
});

describe('a call from JavaScript, without a compiler, is rejected for', () => {
  const inStack = (use: (stack: Stack) => unknown) => () =>
    use(new Stack(new App(), 'Another', { env: { account: '123456789012', region: 'eu-central-1' } }));
  /** The types that a caller in JavaScript has. */
  const { fromPrefix } = CertificateRenewal as { readonly fromPrefix: (...given: readonly unknown[]) => JavaScript };
  interface JavaScript {
    grantRead(...given: readonly unknown[]): unknown;
    onRenewed(...given: readonly unknown[]): unknown;
  }
  const rules = 'certificate, target, description';
  const aName = "a certificate's name";

  test.each<[string, unknown, string, ...string[]]>([
    ['a misspelled prefix', { prefix: 'shop/' }, 'prefix', 'unknown key', 'did you mean "secretPrefix"?'],
    ['an ARN as key', { encryptionKey: keyArn }, 'encryptionKey', keyArn.slice(0, 70), 'Key.fromKeyArn'],
    ['null as props', null, 'config', 'found null', 'an object with secretPrefix, encryptionKey'],
  ])('%s', (_, props, ...expected) => {
    expectMistakes(
      inStack((stack) => fromPrefix(stack, 'F', props)),
      expected,
    );
  });

  test.each<[string, unknown, string, ...string[]]>([
    ['a misspelled certificate', { certificat: 'www' }, '.certificat', 'unknown key', '"certificate"', rules],
    ['null as certificate', { certificate: null }, '.certificate', 'found null', aName],
    ['a text as target', { target: 'topic' }, '.target', '"topic"', 'aws-cdk-lib/aws-events-targets'],
    ['null as props of a rule', null, '', 'found null', `an object with ${rules}`],
  ])('%s', (_, props, path, ...words) => {
    expectMistakes(
      inStack((stack) => fromPrefix(stack, 'F').onRenewed('N', props)),
      [`onRenewed("N")${path}`, ...words],
    );
  });

  test.each<[string, readonly unknown[], string, ...string[]]>([
    ['no name', [], 'certificate', 'missing', aName],
    ['no grantee', ['www'], 'grantRead("www")', 'missing', 'a role, a user'],
    ['an ARN as grantee', ['www', keyArn], 'grantRead("www")', '"arn:', 'a role, a user'],
  ])('%s', (_, given, ...expected) => {
    expectMistakes(
      inStack((stack) => fromPrefix(stack, 'F').grantRead(...given)),
      expected,
    );
  });

  test('no name or a number as name, if the names are known', () => {
    const call = (use: (renewal: JavaScript) => unknown) => () =>
      synthesize(smallConfig, (stack) => use(stack.node.findChild('Certificates') as Construct & JavaScript));
    expectMistakes(
      call((renewal) => renewal.grantRead()),
      ['certificate', 'missing', 'one of www'],
    );
    expectMistakes(
      call((renewal) => renewal.onRenewed('N', { certificate: 7 })),
      ['onRenewed("N").certificate', 'found 7', aName],
    );
  });
});

describe('a certificate that is not configured', () => {
  test.each([
    ['ww', '"ww" (did you mean "www"?)'],
    ['mail', '"mail"'],
  ])('is rejected at synth: %s', (name, found) => {
    const use = (grant: (renewal: CertificateRenewal, stack: Stack) => void) => () =>
      synthesize(smallConfig, (stack) => grant(renewalOf(stack), stack));
    expectMistakes(
      use((renewal, stack) => renewal.grantRead(name, readerIn(stack))),
      ['certificate', found, 'one of www'],
    );
    expectMistakes(
      use((renewal) => renewal.onRenewed('Renewed', { certificate: name })),
      ['onRenewed("Renewed").certificate', found, 'one of www'],
    );
  });
});
