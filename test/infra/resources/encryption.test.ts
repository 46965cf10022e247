import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { describe, expect, test } from 'vitest';
import { zeroSsl } from '../../../infra/index.ts';
import { allows, type Context, simulate, without } from '../policy-simulator.ts';
import { ofType, type Resource, resolve, smallConfig, synthesize } from '../synthesized.ts';

const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;

/** A stack whose key belongs to the same app. */
const own = synthesize(
  smallConfig,
  () => undefined,
  (stack) => new Key(stack, 'Key', { enableKeyRotation: true }),
);
const { resources } = own;
const [[keyId]] = ofType(resources, 'AWS::KMS::Key') as [[string, unknown]];
const keyArn = { 'Fn::GetAtt': [keyId, 'Arn'] };

const imported = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';
const notes: string[] = [];
const referred = synthesize(
  smallConfig,
  (stack) => {
    for (const { node } of stack.node.findAll()) notes.push(...node.metadata.map(({ data }) => String(data)));
  },
  (stack): IKey => Key.fromKeyArn(stack, 'Key', imported),
);

describe('the key', () => {
  test('encrypts every log group', () => {
    const groups = ofType(resources, 'AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(8);
    for (const [id, { Properties }] of groups) expect(Properties.KmsKeyId, id).toEqual(keyArn);
  });

  test('encrypts the ledger', () => {
    const [table] = ofType(resources, 'AWS::DynamoDB::Table');
    expect(table?.[1].Properties.SSESpecification).toEqual({
      KMSMasterKeyId: keyArn,
      SSEEnabled: true,
      SSEType: 'KMS',
    });
  });

  test('is in the environment of the functions that create secrets, and of no others', () => {
    const named = ofType(resources, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
      const { Variables } = Properties.Environment as { readonly Variables: Readonly<Record<string, unknown>> };
      return Variables.ENCRYPTION_KEY ? [id.replace(/^Certificates|Function\w*$/g, '')] : [];
    });
    expect(named.toSorted()).toEqual(['Certificate', 'Order']);
  });

  test('can be used by CloudWatch Logs only for the log groups of this account', async () => {
    const [key] = ofType(resources, 'AWS::KMS::Key');
    const logs = (keys: Context) =>
      simulate({
        request: {
          principal: 'logs.eu-central-1.amazonaws.com',
          action: 'kms:GenerateDataKey',
          resource: { resource: imported, accountId: '123456789012' },
          contextVariables: keys,
        },
        identityPolicies: [],
        resourcePolicy: resolve(key?.[1].Properties.KeyPolicy, resources),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      });
    const ofGroup = (account: string) => ({
      'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:eu-central-1:${account}:log-group:any`,
    });
    expect(await logs(ofGroup('123456789012'))).toBe(true);
    expect(await logs(ofGroup('222222222222'))).toBe(false);
    expect(await logs({})).toBe(false);
  });

  test('is not changed if it is imported, and a note says what its policy needs', () => {
    expect(ofType(referred.resources, 'AWS::KMS::Key')).toEqual([]);
    expect(notes.join('\n')).toMatch(/encryptionKey: .*key policy.*logs\..*amazonaws\.com/);
  });
});

describe('a reader of another account', () => {
  const readers = ['arn:aws:iam::222222222222:role/one', 'arn:aws:iam::333333333333:root'];
  const [certificate] = smallConfig.certificates;
  const shared = synthesize(
    { ...smallConfig, certificates: certificate ? [{ ...certificate, readers }] : [] },
    () => undefined,
    (stack) => new Key(stack, 'Key', { enableKeyRotation: true }),
  ).resources;
  const [[, key]] = ofType(shared, 'AWS::KMS::Key') as [[string, Resource]];
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const decrypts = (account: string, role: string, keys: Context, action = 'kms:Decrypt') =>
    simulate({
      request: {
        principal: `arn:aws:iam::${account}:role/${role}`,
        action,
        resource: { resource: imported, accountId: '123456789012' },
        contextVariables: keys,
      },
      identityPolicies: [{ name: 'own', policy: everything }],
      resourcePolicy: resolve(key.Properties.KeyPolicy, shared),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    });
  const by = (account: string, role: string) => ({
    'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com',
    'kms:EncryptionContext:SecretARN': secret('certificates/www-AbCdEf'),
    'aws:PrincipalArn': `arn:aws:iam::${account}:role/${role}`,
  });

  test.each([
    ['named', '222222222222', 'one', ['kms:ViaService', 'kms:EncryptionContext:SecretARN', 'aws:PrincipalArn']],
    ['named by its account', '333333333333', 'any', ['kms:ViaService', 'kms:EncryptionContext:SecretARN']],
  ])('that is %s decrypts certificates only, and only through Secrets Manager', async (_, account, role, needed) => {
    const keys = by(account, role);
    expect(await decrypts(account, role, keys)).toBe(true);
    for (const each of needed) expect(await decrypts(account, role, without(keys, each)), each).toBe(false);
    expect(await decrypts(account, role, { ...keys, 'kms:ViaService': 's3.eu-central-1.amazonaws.com' })).toBe(false);
    for (const other of ['certificates-accounts/acme.test-AbCdEf', 'database-AbCdEf'])
      expect(await decrypts(account, role, { ...keys, 'kms:EncryptionContext:SecretARN': secret(other) })).toBe(false);
    expect(await decrypts(account, role, keys, 'kms:GenerateDataKey')).toBe(false);
  });

  test('that is not named cannot decrypt', async () => {
    expect(await decrypts('222222222222', 'two', by('222222222222', 'two'))).toBe(false);
    expect(await decrypts('444444444444', 'one', by('444444444444', 'one'))).toBe(false);
  });
});

describe('the functions', () => {
  const bound = synthesize(
    {
      ...smallConfig,
      issuer: zeroSsl({ termsOfServiceAgreed: true, contact: [], externalAccountBinding: secret('zerossl-AbCdEf') }),
    },
    () => undefined,
    (stack): IKey => Key.fromKeyArn(stack, 'Key', imported),
  );
  const uses = (role: string, action: string, keys: Context) =>
    allows(`${role}Role`, `kms:${action}`, imported, keys, bound);
  const through = (service: string) => ({ 'kms:ViaService': `${service}.eu-central-1.amazonaws.com` });
  const forSecret = (arn: string) => ({
    ...through('secretsmanager'),
    'kms:EncryptionContext:SecretARN': arn,
  });
  const certificate = secret('certificates/www-AbCdEf');
  const account = secret('certificates-accounts/acme.test-01234567-AbCdEf');
  const binding = secret('zerossl-AbCdEf');
  const validation = 'RequestToValidateKeyAccess';

  test.each([
    ['Check', [], []],
    ['Order', [account, binding, validation], [account, validation]],
    ['Challenge', [], []],
    ['Certificate', [certificate, account, validation], [certificate, validation]],
    ['Delivery', [certificate], []],
  ])('decrypt and encrypt with the key for their secrets only: %s', async (role, decrypted, encrypted) => {
    const others = [secret('database-AbCdEf'), secret('zerossl-other-AbCdEf'), secret('zerossl-GhIjKl')];
    for (const arn of [certificate, account, binding, validation, ...others]) {
      expect(await uses(role, 'Decrypt', forSecret(arn)), arn).toBe(decrypted.includes(arn));
      expect(await uses(role, 'GenerateDataKey', forSecret(arn)), arn).toBe(encrypted.includes(arn));
    }
  });

  test.each([
    ['Order', account],
    ['Order', binding],
    ['Certificate', certificate],
    ['Certificate', account],
    ['Delivery', certificate],
  ])(
    'use the key only through Secrets Manager and only with the ARN in the encryption context: %s for %s',
    async (role, arn) => {
      expect(await uses(role, 'Decrypt', forSecret(arn))).toBe(true);
      expect(await uses(role, 'Decrypt', through('secretsmanager'))).toBe(false);
      expect(await uses(role, 'Decrypt', { 'kms:EncryptionContext:SecretARN': arn })).toBe(false);
      expect(await uses(role, 'Decrypt', { ...forSecret(arn), ...through('s3') })).toBe(false);
    },
  );

  test.each([
    ['Check', true],
    ['Order', true],
    ['Challenge', false],
    ['Certificate', true],
    ['Delivery', true],
  ])('use the key for the ledger through DynamoDB only: %s %s', async (role, allowed) => {
    for (const action of ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']) {
      expect(await uses(role, action, through('dynamodb')), action).toBe(allowed);
      expect(await uses(role, action, {}), action).toBe(false);
      expect(await uses(role, action, through('s3')), action).toBe(false);
    }
  });
});

test('without a key the template has no permission or property for one', () => {
  expect(synthesize().text).not.toMatch(/kms:|KmsKeyId|ENCRYPTION_KEY/);
});
