import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CloudWatchLogGroup } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { CertificateRenewal, ConfigError } from '../../../infra/index.ts';
import { readersPolicy } from '../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { ofType, type PolicyDocument, policiesOf, resolve, smallConfig, synthesize } from '../synthesized.ts';

const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;
const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';
const renewalOf = (stack: Stack) => stack.node.findChild('Certificates') as CertificateRenewal;
const readerIn = (stack: Stack) => new Role(stack, 'Reader', { assumedBy: new AccountPrincipal('123456789012') });

/** Of a key: lets the account's IAM policies decide, as CDK writes it. */
const keyPolicy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::123456789012:root' }, Action: 'kms:*', Resource: '*' },
  ],
};

const withReader = synthesize(
  smallConfig,
  (stack) => {
    renewalOf(stack).grantRead('www', readerIn(stack));
    const logGroup = new LogGroup(stack, 'News');
    renewalOf(stack).onRenewed('WwwRenewed', { certificate: 'www', target: new CloudWatchLogGroup(logGroup) });
    renewalOf(stack).onRenewed('AnyRenewed');
  },
  (stack) => Key.fromKeyArn(stack, 'Key', keyArn),
);
const identityPolicies = policiesOf('Reader', withReader).inline;

/** Asked of a simulator, which also refuses questions that IAM does not know. */
async function allows(
  action: string,
  resource: string,
  contextVariables: Simulation['request']['contextVariables'] = {},
  by: {
    readonly identity?: readonly PolicyDocument[];
    readonly resourcePolicy?: object;
    readonly account?: string;
  } = {},
): Promise<boolean> {
  const { identity = identityPolicies, resourcePolicy, account = '123456789012' } = by;
  const principal = `arn:aws:iam::${account}:role/Reader`;
  const reply = await runSimulation(
    {
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
    },
    {},
  );
  if (reply.resultType === 'error') throw new Error(JSON.stringify(reply));
  return reply.overallResult === 'Allowed';
}

/** GetSecretValue with these parameters, as AWS fills in its condition keys: what is not given is not there. */
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

describe('a reader that is granted a certificate', () => {
  test.each(requests)('and asks for %s', async (_, request, allowed) => {
    expect(await asked(request)).toBe(allowed);
  });

  test.each(['certificates/www2-AbCdEf', 'certificates/www-eu-AbCdEf', 'certificates/mail-AbCdEf', 'certificates/www'])(
    'does not get %s',
    async (name) => {
      expect(await asked({}, secret(name))).toBe(false);
    },
  );

  test('can neither write, describe nor list', async () => {
    for (const action of ['PutSecretValue', 'DescribeSecret', 'ListSecretVersionIds', 'UpdateSecretVersionStage'])
      expect(await allows(`secretsmanager:${action}`, secret('certificates/www-AbCdEf')), action).toBe(false);
  });

  // Literally: the simulator does not know condition keys that end in a name of the encryption context.
  test('decrypts with the key through Secrets Manager, of this secret only', () => {
    const statements = identityPolicies.flatMap(({ Statement }) => Statement);
    expect(statements.filter(({ Action }) => String(Action).includes('kms'))).toEqual([
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: keyArn,
        Condition: {
          StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' },
          StringLike: { 'kms:EncryptionContext:SecretARN': secret('certificates/www-??????') },
        },
      },
    ]);
  });
});

describe('a reader of another account', () => {
  const resourcePolicy = readersPolicy(['arn:aws:iam::444455556666:role/Reader']);
  const own: PolicyDocument[] = [
    {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }],
    },
  ];
  const by = { identity: own, resourcePolicy, account: '444455556666' };

  test.each(requests)('that the resource policy names and that asks for %s', async (_, request, allowed) => {
    expect(await asked(request, undefined, by)).toBe(allowed);
  });

  test('that it does not name gets nothing, and neither does another role of its account', async () => {
    expect(await asked({}, undefined, { ...by, account: '777788889999' })).toBe(false);
    const another = readersPolicy(['arn:aws:iam::444455556666:role/Another']);
    expect(await asked({}, undefined, { ...by, resourcePolicy: another })).toBe(false);
  });

  test('is any of an account that is named as a whole, as far as its own policies go', async () => {
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
  const mine = { 'aws:ResourceTag/perennial:stack': 'Perennial' };
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

  test('takes readers and replicas away, and gives them where a certificate has some', async () => {
    const may = (action: string, identity: readonly PolicyDocument[], context = {}) =>
      allows(`secretsmanager:${action}`, secret('certificates/www-AbCdEf'), { ...mine, ...context }, { identity });
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
  });

  test('writes over no secret of another region that has the name already', async () => {
    const may = (context: object) =>
      allows(
        'secretsmanager:ReplicateSecretToRegions',
        secret('certificates/www-AbCdEf'),
        { ...mine, ...context },
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
  const gives = async (identity: readonly PolicyDocument[], name: string) => {
    const context = { ...mine, ...noOverwrite, 'secretsmanager:BlockPublicPolicy': 'true' };
    const may = (action: string) =>
      allows(`secretsmanager:${action}`, secret(`certificates/${name}-AbCdEf`), context, { identity });
    return [await may('PutResourcePolicy'), await may('ReplicateSecretToRegions')];
  };

  test('gives nobody a certificate that has neither readers nor replicas', async () => {
    const few = sharing(2).inline;
    expect(await gives(few, 'shared-1')).toEqual([true, true]);
    expect(await gives(few, 'alone')).toEqual([false, false]);
    expect(await gives(few, 'shared-1-more')).toEqual([false, false]);
  });

  test('stays within what IAM takes with as many as are named one by one, and gives all with more of them', async () => {
    for (const [count, alone] of [
      [28, false],
      [200, true],
    ] as const) {
      const { inline, managed } = sharing(count);
      expect(await gives([...inline, ...managed], `shared-${count - 1}`)).toEqual([true, true]);
      expect(await gives([...inline, ...managed], 'alone')).toEqual([alone, alone]);
      const characters = (policies: readonly PolicyDocument[]) =>
        policies.map((policy) => JSON.stringify(policy).length);
      expect(characters(inline).reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(10_240);
      expect(Math.max(0, ...characters(managed))).toBeLessThanOrEqual(6144);
    }
  });

  test('uses the key of a replica through the Secrets Manager of its region', async () => {
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/replica';
    const through = (region: string) => ({ 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` });
    const may = (region: string) =>
      allows('kms:GenerateDataKey', key, through(region), { identity: withKey, resourcePolicy: keyPolicy });
    expect(await may('eu-west-1')).toBe(true);
    expect(await may('eu-west-2')).toBe(false);
  });
});

describe('a rule for renewals', () => {
  const rules = ofType(withReader.resources, 'AWS::Events::Rule')
    .filter(([id]) => id.includes('Reader'))
    .map(([, { Properties }]) => resolve(Properties, withReader.resources) as Record<string, unknown>);

  test('knows the certificate by its name and by whose secret it is', () => {
    expect(rules.find(({ Description }) => Description === 'Certificate www was renewed')).toMatchObject({
      EventPattern: {
        source: ['perennial'],
        'detail-type': ['Certificate Renewed'],
        detail: { certificate: ['www'], current: { secretArn: [{ prefix: secret('certificates/') }] } },
      },
      Targets: [{}],
    });
  });

  test('without a name is for all with the prefix', () => {
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

  test('certificates are known by their prefix, and read like at home', () => {
    const stack = inAnother((scope) => {
      const certificates = CertificateRenewal.fromPrefix(scope, 'Certificates', { secretPrefix: 'site/' });
      certificates.grantRead('www', readerIn(scope));
      certificates.onRenewed('Renewed', { certificate: 'www' });
    });
    const template = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(template).toContain(':secretsmanager:eu-central-1:123456789012:secret:site/www-??????');
    expect(template).toContain(':secretsmanager:eu-central-1:123456789012:secret:site/"');
  });

  test('a role of another account is refused, and told the way', () => {
    const theirs = (scope: Stack) => Role.fromRoleArn(scope, 'Theirs', 'arn:aws:iam::444455556666:role/web');
    expect(() =>
      inAnother((scope) => CertificateRenewal.fromPrefix(scope, 'C').grantRead('www', theirs(scope))),
    ).toThrow(/account 444455556666, allowed: one of account 123456789012; .* readers/);
  });

  test.each(['', 'site', 'site/*/'])('a prefix like %o is refused', (secretPrefix) => {
    expect(() => inAnother((scope) => CertificateRenewal.fromPrefix(scope, 'C', { secretPrefix }))).toThrow(
      /secretPrefix: found/,
    );
  });

  test.each(['*', 'www-??????', 'Www'])('a name like %o is refused', (name) => {
    expect(() =>
      inAnother((scope) => CertificateRenewal.fromPrefix(scope, 'C').grantRead(name, readerIn(scope))),
    ).toThrow(/certificate: found/);
  });
});

describe('props from JavaScript, where no compiler looks', () => {
  const inStack = (use: (stack: Stack) => unknown) => () =>
    use(new Stack(new App(), 'Another', { env: { account: '123456789012', region: 'eu-central-1' } }));
  /** As any caller in JavaScript has it. */
  const { fromPrefix } = CertificateRenewal as { readonly fromPrefix: (...given: readonly unknown[]) => JavaScript };
  interface JavaScript {
    grantRead(...given: readonly unknown[]): unknown;
    onRenewed(...given: readonly unknown[]): unknown;
  }
  const rules = 'certificate, target, description';
  const aName = "allowed: a certificate's name";

  test.each<[string, unknown, string]>([
    [
      'a misspelled prefix granted on the default one',
      { prefix: 'shop/' },
      'prefix: found an unknown key, allowed: secretPrefix, encryptionKey',
    ],
    [
      'an ARN for a key granted no decryption',
      { encryptionKey: keyArn },
      `encryptionKey: found ${JSON.stringify(keyArn).slice(0, 77)}`,
    ],
    ['no props were destructured', null, 'config: found null, allowed: an object with secretPrefix, encryptionKey'],
  ])('%s', (_, props, mistake) => {
    expect(inStack((stack) => fromPrefix(stack, 'F', props))).toThrow(ConfigError);
    expect(inStack((stack) => fromPrefix(stack, 'F', props))).toThrow(mistake);
  });

  test.each<[string, unknown, string]>([
    [
      'a misspelled certificate made a rule for all',
      { certificat: 'www' },
      `onRenewed("N").certificat: found an unknown key (did you mean "certificate"?), allowed: ${rules}`,
    ],
    ['no certificate was one of no name', { certificate: null }, `onRenewed("N").certificate: found null, ${aName}`],
    [
      'what is no target was bound',
      { target: 'topic' },
      'onRenewed("N").target: found "topic", allowed: a target of aws-cdk-lib/aws-events-targets',
    ],
    ['null was destructured', null, `onRenewed("N"): found null, allowed: an object with ${rules}`],
  ])('%s', (_, props, mistake) => {
    const call = inStack((stack) => fromPrefix(stack, 'F').onRenewed('N', props));
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(mistake);
  });

  test.each<[string, readonly unknown[], string]>([
    ['a grant was on the name "undefined"', [], `certificate: found nothing, ${aName}`],
    ['no grantee was read', ['www'], 'grantRead("www"): found nothing, allowed: a role, a user, or what has one'],
    ['an ARN as grantee was read', ['www', keyArn], 'grantRead("www"): found "arn:'],
  ])('%s', (_, given, mistake) => {
    const call = inStack((stack) => fromPrefix(stack, 'F').grantRead(...given));
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(mistake);
  });

  test('a name that is missing was compared with those that are known', () => {
    const call = (use: (renewal: JavaScript) => unknown) => () =>
      synthesize(smallConfig, (stack) => use(stack.node.findChild('Certificates') as Construct & JavaScript));
    expect(call((renewal) => renewal.grantRead())).toThrow('certificate: found nothing, allowed: one of www');
    const certificate = 7;
    expect(call((renewal) => renewal.onRenewed('N', { certificate }))).toThrow('onRenewed("N").certificate: found 7');
  });
});

describe('a certificate that is not configured', () => {
  test.each([
    ['ww', '"www"'],
    ['mail', 'one of www'],
  ])('is a mistake at synth: %s', (name, said) => {
    const use = (grant: (renewal: CertificateRenewal, stack: Stack) => void) => () =>
      synthesize(smallConfig, (stack) => grant(renewalOf(stack), stack));
    expect(use((renewal, stack) => renewal.grantRead(name, readerIn(stack)))).toThrow(said);
    expect(use((renewal) => renewal.onRenewed('Renewed', { certificate: name }))).toThrow(said);
  });
});
