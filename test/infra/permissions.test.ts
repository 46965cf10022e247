import { describe, expect, test } from 'vitest';
import { allows } from './policy-simulator.ts';
import { changeKeys, type PolicyDocument, policiesOf, smallConfig, synthesize } from './synthesized.ts';

const synthesized = synthesize();
const zone = 'arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ';
const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`;
const certificate = 'arn:aws:acm:us-east-1:123456789012:certificate/0e1d8f0a-0000-4000-8000-000000000000';

/** An organization's policy that denies resources without the tag `team`. */
const demandsTeam = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Deny',
      Action: ['secretsmanager:CreateSecret', 'acm:ImportCertificate'],
      Resource: '*',
      Condition: { Null: { 'aws:RequestTag/team': 'true' } },
    },
  ],
};

describe('the challenge function', () => {
  const change = (
    actions: readonly string[],
    { name = '_acme-challenge.example.com', type = 'TXT', in: hostedZone = zone, without = '' } = {},
  ) => {
    const keys = changeKeys({ Actions: actions, NormalizedRecordNames: [name], RecordTypes: [type] }, without);
    return allows('ChallengeRole', 'route53:ChangeResourceRecordSets', hostedZone, keys);
  };

  test.each([
    ['create a challenge record', ['CREATE'], {}],
    ['delete a challenge record', ['DELETE'], {}],
    ['replace one challenge record', ['DELETE', 'CREATE'], {}],
    [
      'create a challenge record for a name below the zone name',
      ['CREATE'],
      { name: '_acme-challenge.a.b.example.com' },
    ],
  ])('may %s', async (_, actions, where) => {
    expect(await change(actions, where)).toBe(true);
  });

  test.each([
    ['overwrite a challenge record', ['UPSERT'], {}],
    ['overwrite one record while it creates another', ['CREATE', 'UPSERT'], {}],
    ['write a record without the challenge label', ['CREATE'], { name: 'www.example.com' }],
    [
      'write a record whose name has the label in another position',
      ['CREATE'],
      { name: 'www._acme-challenge.example.com' },
    ],
    ['write a record of another type', ['CREATE'], { type: 'CNAME' }],
    ['write in another zone', ['CREATE'], { in: 'arn:aws:route53:::hostedzone/ZOTHER' }],
  ])('may not %s', async (_, actions, where) => {
    expect(await change(actions, where)).toBe(false);
  });

  test.each(['Actions', 'NormalizedRecordNames', 'RecordTypes'])(
    'may not change anything in a request without the condition key %s',
    async (without) => {
      expect(await change(['CREATE'], { without })).toBe(false);
    },
  );

  test('may read the zone, its records and its changes, and may not delete the zone', async () => {
    expect(await allows('ChallengeRole', 'route53:ListResourceRecordSets', zone)).toBe(true);
    expect(await allows('ChallengeRole', 'route53:GetHostedZone', zone)).toBe(true);
    expect(await allows('ChallengeRole', 'route53:GetChange', 'arn:aws:route53:::change/C123')).toBe(true);
    expect(await allows('ChallengeRole', 'route53:DeleteHostedZone', zone)).toBe(false);
  });

  test('may not read secrets', async () => {
    expect(await allows('ChallengeRole', 'secretsmanager:GetSecretValue', secret('certificates/www'))).toBe(false);
  });
});

describe('hosted zones', () => {
  const theirRole = 'arn:aws:iam::222222222222:role/challenges';
  const three = synthesize({
    ...smallConfig,
    hostedZones: [
      { id: 'Z0OURS', name: 'example.com' },
      { id: 'Z0ONLY', name: 'auth.example.org', challengesOnly: true },
      { id: 'Z0THEIRS', name: 'example.net', roleArn: theirRole },
      { id: 'Z0THEIRONLY', name: 'auth.example.net', roleArn: theirRole, challengesOnly: true },
    ],
  });
  const zoneArn = (id: string) => `arn:aws:route53:::hostedzone/${id}`;
  const may = (action: string, resource: string, context = {}) =>
    allows('ChallengeRole', action, resource, context, three);
  const write = (id: string, name: string, { action = 'CREATE', type = 'TXT', without = '' } = {}) => {
    const keys = changeKeys({ Actions: [action], NormalizedRecordNames: [name], RecordTypes: [type] }, without);
    return may('route53:ChangeResourceRecordSets', zoneArn(id), keys);
  };

  test('with challengesOnly allow TXT records of any name, but no other types and no overwriting', async () => {
    expect(await write('Z0ONLY', '0a1b.auth.example.org')).toBe(true);
    expect(await write('Z0ONLY', '0a1b.auth.example.org', { action: 'DELETE' })).toBe(true);
    expect(await write('Z0ONLY', '0a1b.auth.example.org', { action: 'UPSERT' })).toBe(false);
    expect(await write('Z0ONLY', '0a1b.auth.example.org', { type: 'NS' })).toBe(false);
    for (const without of ['Actions', 'RecordTypes'])
      expect(await write('Z0ONLY', '0a1b.auth.example.org', { without }), without).toBe(false);
    expect(await write('Z0OURS', '0a1b.example.com')).toBe(false);
    expect(await write('Z0OURS', '_acme-challenge.example.com')).toBe(true);
  });

  test('in other accounts can be changed only through their role, and only by the challenge function', async () => {
    expect(await may('sts:AssumeRole', theirRole)).toBe(true);
    for (const id of ['Z0THEIRS', 'Z0THEIRONLY']) {
      expect(await write(id, '_acme-challenge.example.net')).toBe(false);
      expect(await may('route53:GetHostedZone', zoneArn(id))).toBe(false);
    }
    for (const other of ['challenges2', 'admin'])
      expect(await may('sts:AssumeRole', `arn:aws:iam::222222222222:role/${other}`)).toBe(false);
    for (const role of ['CheckRole', 'OrderRole', 'CertificateRole', 'DeliveryRole'])
      expect(await allows(role, 'sts:AssumeRole', theirRole, {}, three)).toBe(false);
  });

  test('in other accounts, without zones of this account, need no permission for Route 53', () => {
    const withOtherAccount = synthesize({
      ...smallConfig,
      hostedZones: [{ id: 'Z0THEIRS', name: 'example.com', roleArn: theirRole }],
    });
    const { inline } = policiesOf('CertificatesChallengeRole', withOtherAccount);
    expect(JSON.stringify(inline)).not.toContain('route53:');
  });
});

describe('secrets', () => {
  const ofThisStack = { 'aws:ResourceTag/perennial:stack': 'Perennial' };
  const ofAnotherStack = { 'aws:ResourceTag/perennial:stack': 'Another' };

  test('of certificates can be created only with the tag of the stack', async () => {
    const create = (tag: Record<string, string>) =>
      allows('CertificateRole', 'secretsmanager:CreateSecret', secret('certificates/www'), tag);
    expect(await create({ 'aws:RequestTag/perennial:stack': 'Perennial' })).toBe(true);
    expect(await create({ 'aws:RequestTag/perennial:stack': 'Another' })).toBe(false);
    expect(await create({})).toBe(false);
  });

  const tagging = (role: string, name: string, keys: readonly string[], of: Record<string, string> = {}) =>
    allows(role, 'secretsmanager:TagResource', secret(name), {
      'aws:RequestTag/perennial:stack': 'Perennial',
      'aws:TagKeys': [...keys],
      ...of,
    });

  test('can get the tag of the stack when they are created, but not secrets of another stack', async () => {
    for (const [role, name, keys] of [
      ['CertificateRole', 'certificates/www', ['perennial:stack', 'perennial:certificate']],
      ['OrderRole', 'certificates-accounts/acme.test-01234567', ['perennial:stack']],
    ] as const) {
      expect(await tagging(role, name, keys), role).toBe(true);
      expect(await tagging(role, name, keys, ofThisStack), role).toBe(true);
      expect(await tagging(role, name, keys, ofAnotherStack), role).toBe(false);
    }
  });

  test('can get the three tags of this service, and no other tags', async () => {
    const keys = ['perennial:stack', 'perennial:replicas'];
    expect(await tagging('CertificateRole', 'certificates/www', keys, ofThisStack)).toBe(true);
    expect(await tagging('CertificateRole', 'certificates/www', [...keys, 'team'], ofThisStack)).toBe(false);
    const account = 'certificates-accounts/acme.test-01234567';
    expect(await tagging('OrderRole', account, ['perennial:stack', 'team'])).toBe(false);
    const create = (Keys: readonly string[]) =>
      allows('CertificateRole', 'secretsmanager:CreateSecret', secret('certificates/www'), {
        'aws:RequestTag/perennial:stack': 'Perennial',
        'aws:TagKeys': [...Keys],
      });
    expect(await create(['perennial:stack', 'perennial:certificate'])).toBe(true);
    expect(await create(['perennial:stack', 'perennial:certificate', 'team'])).toBe(false);
  });

  test.each(['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'])(
    'of certificates without the tag of the stack are denied to %s',
    async (action) => {
      const call = (context: Record<string, string>) =>
        allows('CertificateRole', `secretsmanager:${action}`, secret('certificates/www'), context);
      expect(await call(ofThisStack)).toBe(true);
      expect(await call(ofAnotherStack)).toBe(false);
      expect(await call({})).toBe(false);
    },
  );

  test('outside of the prefix are denied to every function', async () => {
    for (const role of ['CheckRole', 'OrderRole', 'CertificateRole', 'DeliveryRole'])
      expect(await allows(role, 'secretsmanager:GetSecretValue', secret('database/main'), ofThisStack)).toBe(false);
  });

  test('can be described but not read by the check function', async () => {
    expect(await allows('CheckRole', 'secretsmanager:DescribeSecret', secret('certificates/www'))).toBe(true);
    expect(await allows('CheckRole', 'secretsmanager:GetSecretValue', secret('certificates/www'), ofThisStack)).toBe(
      false,
    );
  });

  test('of accounts can be created by the order function and read by the certificate function', async () => {
    const account = secret('certificates-accounts/acme.test-01234567');
    const create = { 'aws:RequestTag/perennial:stack': 'Perennial' };
    expect(await allows('OrderRole', 'secretsmanager:CreateSecret', account, create)).toBe(true);
    expect(await allows('CertificateRole', 'secretsmanager:CreateSecret', account, create)).toBe(false);
    for (const role of ['OrderRole', 'CertificateRole']) {
      // The secret is described first. A missing secret has no tags.
      expect(await allows(role, 'secretsmanager:DescribeSecret', account)).toBe(true);
      expect(await allows(role, 'secretsmanager:GetSecretValue', account, ofThisStack)).toBe(true);
      expect(await allows(role, 'secretsmanager:GetSecretValue', account, ofAnotherStack)).toBe(false);
      expect(await allows(role, 'secretsmanager:GetSecretValue', account)).toBe(false);
    }
    expect(await allows('OrderRole', 'secretsmanager:GetSecretValue', secret('certificates/www'), ofThisStack)).toBe(
      false,
    );
  });

  test('can be described by every role that reads them, because Secrets Manager does not say why it refuses a deleted one', () => {
    const binding = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:bindings/ca-AbCdEf';
    const issuer = { ...smallConfig.issuer, externalAccountBinding: binding };
    const withBinding = synthesize({ ...smallConfig, issuer });
    const resourcesOf = (statements: PolicyDocument['Statement'], action: string) =>
      statements
        .filter(({ Effect, Action }) => Effect === 'Allow' && [Action].flat().includes(action))
        .flatMap(({ Resource }) => [Resource].flat());
    const readers = Object.keys(withBinding.resources).filter((id) => {
      if (withBinding.resources[id]?.Type !== 'AWS::IAM::Role') return false;
      const { inline, managed } = policiesOf(id, withBinding);
      const statements = [...inline, ...managed].flatMap(({ Statement }) => Statement);
      const read = resourcesOf(statements, 'secretsmanager:GetSecretValue');
      const unconditional = statements.filter(({ Condition }) => Condition === undefined);
      expect(resourcesOf(unconditional, 'secretsmanager:DescribeSecret'), id).toEqual(expect.arrayContaining(read));
      return read.length > 0;
    });
    expect(readers.map((id) => id.replace(/^Certificates|Role\w*$/g, ''))).toEqual([
      'Order',
      'Certificate',
      'Delivery',
    ]);
  });

  test('of accounts can get a new key only from the order function', async () => {
    const account = secret('certificates-accounts/acme.test-01234567');
    for (const action of ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage']) {
      expect(await allows('OrderRole', action, account, ofThisStack)).toBe(true);
      expect(await allows('OrderRole', action, account, ofAnotherStack)).toBe(false);
      for (const role of ['CheckRole', 'CertificateRole', 'DeliveryRole'])
        expect(await allows(role, action, account, ofThisStack)).toBe(false);
    }
  });

  test('of certificates can have their versions listed only by the certificate function', async () => {
    const list = 'secretsmanager:ListSecretVersionIds';
    expect(await allows('CertificateRole', list, secret('certificates/www'), ofThisStack)).toBe(true);
    expect(await allows('CertificateRole', list, secret('certificates/www'), ofAnotherStack)).toBe(false);
    for (const role of ['CheckRole', 'OrderRole', 'DeliveryRole'])
      expect(await allows(role, list, secret('certificates/www'), ofThisStack)).toBe(false);
  });

  test('cannot be deleted by any function', async () => {
    for (const role of ['CheckRole', 'OrderRole', 'ChallengeRole', 'CertificateRole', 'DeliveryRole'])
      expect(await allows(role, 'secretsmanager:DeleteSecret', secret('certificates/www'), ofThisStack)).toBe(false);
  });
});

describe('the delivery function', () => {
  const importing = (resource: string, context: Record<string, string>) =>
    allows('DeliveryRole', 'acm:ImportCertificate', resource, context);
  const anyCertificate = 'arn:aws:acm:us-east-1:123456789012:certificate/*';

  test('may import with the tag of the stack, and over a certificate that has it', async () => {
    expect(await importing(anyCertificate, { 'aws:RequestTag/perennial:stack': 'Perennial' })).toBe(true);
    expect(await importing(certificate, { 'aws:ResourceTag/perennial:stack': 'Perennial' })).toBe(true);
  });

  test('may set the three tags of this service, and no other tags', async () => {
    const tagging = (...keys: string[]) =>
      allows('DeliveryRole', 'acm:AddTagsToCertificate', anyCertificate, {
        'aws:RequestTag/perennial:stack': 'Perennial',
        'aws:TagKeys': keys,
      });
    expect(await tagging('perennial:stack', 'perennial:certificate', 'perennial:secrets')).toBe(true);
    expect(await tagging('perennial:stack', 'team')).toBe(false);
  });

  test('may not import without the tag of the stack, or over a certificate of another stack', async () => {
    expect(await importing(anyCertificate, {})).toBe(false);
    expect(await importing(certificate, { 'aws:ResourceTag/perennial:stack': 'Another' })).toBe(false);
  });

  test('may not import into another region', async () => {
    const elsewhere = certificate.replace('us-east-1', 'eu-west-1');
    expect(await importing(elsewhere, { 'aws:RequestTag/perennial:stack': 'Perennial' })).toBe(false);
  });

  test('may not delete a certificate', async () => {
    const ofThisStack = { 'aws:ResourceTag/perennial:stack': 'Perennial' };
    expect(await allows('DeliveryRole', 'acm:DeleteCertificate', certificate, ofThisStack)).toBe(false);
  });
});

describe('the fleet function', () => {
  const may = (action: string, resource: string) => allows('FleetRole', action, resource);

  test('may describe the secrets of certificates, and read no value', async () => {
    expect(await may('secretsmanager:DescribeSecret', secret('certificates/www'))).toBe(true);
    expect(await may('secretsmanager:DescribeSecret', secret('certificates-accounts/ca.test'))).toBe(false);
    for (const action of ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage', 'CreateSecret'])
      expect(await may(`secretsmanager:${action}`, secret('certificates/www')), action).toBe(false);
  });

  test('may list imports and describe those of the configured regions, and change none', async () => {
    expect(await may('acm:ListCertificates', '*')).toBe(true);
    for (const action of ['DescribeCertificate', 'ListTagsForCertificate']) {
      expect(await may(`acm:${action}`, certificate), action).toBe(true);
      expect(await may(`acm:${action}`, certificate.replace('us-east-1', 'eu-west-1')), action).toBe(false);
    }
    for (const action of ['ImportCertificate', 'AddTagsToCertificate', 'DeleteCertificate', 'GetCertificate'])
      expect(await may(`acm:${action}`, certificate), action).toBe(false);
  });
});

describe('the report function', () => {
  const table = Object.keys(synthesized.resources).find(
    (id) => synthesized.resources[id]?.Type === 'AWS::DynamoDB::Table',
  );
  const may = (action: string, resource: string, keys = {}) => allows('ReportRole', action, resource, keys);
  const ledger = `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`;

  test('may read the ledger, and may not write it, read secrets, start workflows or call functions', async () => {
    const item = { 'dynamodb:LeadingKeys': ['certificate#www'] };
    expect(await may('dynamodb:BatchGetItem', ledger, item)).toBe(true);
    for (const action of ['UpdateItem', 'PutItem', 'DeleteItem', 'BatchWriteItem'])
      expect(await may(`dynamodb:${action}`, ledger, item), action).toBe(false);
    const tag = { 'aws:ResourceTag/perennial:stack': 'Perennial' };
    for (const name of ['certificates/www', 'certificates-accounts/ca.test'])
      expect(await may('secretsmanager:GetSecretValue', secret(name), tag), name).toBe(false);
    const machine = 'arn:aws:states:eu-central-1:123456789012:stateMachine:Perennial-Certificates-0A085F0A-renewal';
    expect(await may('states:StartExecution', machine)).toBe(false);
    expect(await may('lambda:InvokeFunction', 'arn:aws:lambda:eu-central-1:123456789012:function:x')).toBe(false);
  });
});

describe('the workflows', () => {
  const machine = (name: string) => `arn:aws:states:eu-central-1:123456789012:stateMachine:${name}`;
  const functionArns = Object.keys(synthesized.resources)
    .filter((id) => synthesized.resources[id]?.Type === 'AWS::Lambda::Function')
    .map((id) => `arn:aws:lambda:eu-central-1:123456789012:function:${id}`);
  const called = async (role: string, qualifier = '') => {
    const allowed: string[] = [];
    for (const arn of functionArns)
      if (await allows(role, 'lambda:InvokeFunction', `${arn}${qualifier}`))
        allowed.push(arn.replace(/.*function:Certificates|Function\w+$/g, ''));
    return allowed.toSorted();
  };

  test('for renewals may call the five functions and no others', async () => {
    expect(await called('RenewalWorkflow')).toEqual(['Certificate', 'Challenge', 'Check', 'Delivery', 'Order']);
    const other = 'arn:aws:lambda:eu-central-1:123456789012:function:other';
    expect(await allows('RenewalWorkflow', 'lambda:InvokeFunction', other)).toBe(false);
  });

  test('may call no version and no alias of a function', async () => {
    for (const role of ['RenewalWorkflow', 'FleetWorkflowStateMachine', 'AccountWorkflow'])
      expect(await called(role, ':live'), role).toEqual([]);
  });

  test('for renewals may not start an execution', async () => {
    expect(await allows('RenewalWorkflow', 'states:StartExecution', machine('anything'))).toBe(false);
  });

  test('for the fleet may call one function and start only renewals and itself', async () => {
    expect(await called('FleetWorkflowStateMachine')).toEqual(['Fleet']);
    const [renewal] = Object.values(synthesized.resources).flatMap(({ Properties: { StateMachineName: name } }) =>
      typeof name === 'string' && name.endsWith('-renewal') ? [name] : [],
    );
    expect(await allows('FleetWorkflowStateMachine', 'states:StartExecution', machine(renewal ?? ''))).toBe(true);
    const fleet = String(renewal).replace('-renewal', '-fleet');
    expect(await allows('FleetWorkflowStateMachine', 'states:StartExecution', machine(fleet))).toBe(true);
    for (const name of [fleet.replace('-fleet', '-accounts'), 'other'])
      expect(await allows('FleetWorkflowStateMachine', 'states:StartExecution', machine(name))).toBe(false);
  });

  test('for renewals are restarted by a role that may start no other workflow', async () => {
    const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(synthesized.text)?.[1] ?? '';
    expect(await allows('RestartRuleRole', 'states:StartExecution', machine(renewal))).toBe(true);
    for (const name of [renewal.replace('-renewal', '-fleet'), renewal.replace('-renewal', '-accounts'), 'other'])
      expect(await allows('RestartRuleRole', 'states:StartExecution', machine(name))).toBe(false);
    const execution = `arn:aws:states:eu-central-1:123456789012:execution:${renewal}:www-1`;
    expect(await allows('RestartRuleRole', 'states:StopExecution', execution)).toBe(false);
    expect(await called('RestartRuleRole')).toEqual([]);
  });

  test('for accounts may call four functions and start only renewals and the fleet', async () => {
    expect(await called('AccountWorkflow')).toEqual(['Certificate', 'Check', 'Fleet', 'Order']);
    const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(synthesized.text)?.[1] ?? '';
    for (const name of [renewal, renewal.replace('-renewal', '-fleet')])
      expect(await allows('AccountWorkflow', 'states:StartExecution', machine(name)), name).toBe(true);
    for (const name of [renewal.replace('-renewal', '-accounts'), 'other'])
      expect(await allows('AccountWorkflow', 'states:StartExecution', machine(name))).toBe(false);
  });

  test('for the fleet and for accounts can be started by a deployment', async () => {
    const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(synthesized.text)?.[1] ?? '';
    const starts = (name: string) => allows('FleetStartDeploymentRole', 'states:StartExecution', machine(name));
    expect(await starts(renewal.replace('-renewal', '-fleet'))).toBe(true);
    expect(await starts(renewal.replace('-renewal', '-accounts'))).toBe(true);
    expect(await starts(renewal)).toBe(false);
  });

  test('for accounts can be described by a deployment if a deployment started them', async () => {
    const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(synthesized.text)?.[1] ?? '';
    const looks = (name: string, execution: string) =>
      allows(
        'FleetStartDeploymentRole',
        'states:DescribeExecution',
        `arn:aws:states:eu-central-1:123456789012:execution:${name}:${execution}`,
      );
    const accounts = renewal.replace('-renewal', '-accounts');
    expect(await looks(accounts, 'deployment-5b2f')).toBe(true);
    expect(await looks(accounts, 'by-hand')).toBe(false);
    expect(await looks(renewal, 'deployment-5b2f')).toBe(false);
  });

  test('for renewals can be described, but not stopped, by the check function', async () => {
    const execution = (name: string) => `arn:aws:states:eu-central-1:123456789012:execution:${name}:www-1`;
    const renewal = /"StateMachineName":\s*"([^"]*-renewal)"/.exec(synthesized.text)?.[1] ?? '';
    expect(await allows('CheckRole', 'states:DescribeExecution', execution(renewal))).toBe(true);
    expect(await allows('CheckRole', 'states:DescribeExecution', execution('other'))).toBe(false);
    expect(await allows('CheckRole', 'states:StopExecution', execution(renewal))).toBe(false);
  });
});

describe('tags of the operator', () => {
  const tagged = synthesize({ ...smallConfig, tags: { team: 'web' } });
  const request = (tags: Readonly<Record<string, string>>) => ({
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': Object.keys(tags),
  });
  const own = { 'perennial:stack': 'Perennial', 'perennial:certificate': 'www' };
  const www = secret('certificates/www');
  const account = secret('certificates-accounts/ca-0000');

  test.each([
    ['CertificateRole', 'secretsmanager:CreateSecret', www, own],
    ['CertificateRole', 'secretsmanager:TagResource', www, own],
    ['OrderRole', 'secretsmanager:CreateSecret', account, { 'perennial:stack': 'Perennial' }],
    ['DeliveryRole', 'acm:ImportCertificate', certificate, { Name: 'www', ...own }],
    ['DeliveryRole', 'acm:AddTagsToCertificate', certificate, own],
  ])('may be set with those of the stack by %s with %s, and no others', async (role, action, resource, tags) => {
    expect(await allows(role, action, resource, request({ ...tags, team: 'web' }), tagged)).toBe(true);
    expect(await allows(role, action, resource, request({ ...tags, other: 'web' }), tagged)).toBe(false);
    expect(await allows(role, action, resource, request({ team: 'web' }), tagged)).toBe(false);
    expect(await allows(role, action, resource, request({ ...tags, team: 'web' }))).toBe(false);
  });

  test('of an earlier configuration may be removed from secrets of the stack, and tags of the stack may not', async () => {
    const may = (key: string, stack = 'Perennial') =>
      allows('CertificateRole', 'secretsmanager:UntagResource', www, {
        'aws:ResourceTag/perennial:stack': stack,
        'aws:TagKeys': [key],
      });
    expect(await may('team')).toBe(true);
    expect(await may('perennial:stack')).toBe(false);
    expect(await may('team', 'Other')).toBe(false);
  });

  test('pass a service control policy that demands a tag at creation', async () => {
    const demands = (tags: Readonly<Record<string, string>>) =>
      allows('CertificateRole', 'secretsmanager:CreateSecret', www, request({ ...own, ...tags }), tagged, [
        demandsTeam,
      ]);
    expect(await demands({ team: 'web' })).toBe(true);
    expect(await demands({})).toBe(false);
  });
});
