import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { describe, expect, test } from 'vitest';
import { ofType, policiesOf, resolve, type Synthesized, smallConfig, synthesize } from '../synthesized.ts';

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

  test('allows CloudWatch Logs to use it only for the log groups of this account', () => {
    const [key] = ofType(resources, 'AWS::KMS::Key');
    const { Statement: statements } = resolve(key?.[1].Properties.KeyPolicy, resources) as {
      readonly Statement: readonly Record<string, unknown>[];
    };
    expect(statements.find(({ Sid }) => Sid === 'CloudWatchLogs')).toMatchObject({
      Principal: { Service: 'logs.eu-central-1.amazonaws.com' },
      Condition: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': 'arn:aws:logs:eu-central-1:123456789012:log-group:*' },
      },
    });
  });

  test('is not changed if it is imported, and a note says what its policy needs', () => {
    expect(ofType(referred.resources, 'AWS::KMS::Key')).toEqual([]);
    expect(notes.join('\n')).toMatch(/encryptionKey: .*key policy.*logs\..*amazonaws\.com/);
  });
});

describe('the key can be used through the services that the function needs, by', () => {
  const uses = (role: string, stack: Synthesized) =>
    Object.fromEntries(
      policiesOf(`Certificates${role}Role`, stack)
        .inline.flatMap(({ Statement }) => Statement)
        .filter(({ Action }) => [Action].flat().some((action) => String(action).startsWith('kms:')))
        .map(({ Action, Condition, Resource }) => {
          expect(Resource).toBe(imported);
          const { StringEquals } = Condition as { readonly StringEquals: Readonly<Record<string, string>> };
          return [StringEquals['kms:ViaService']?.split('.')[0], [Action].flat()];
        }),
    );
  const ledger = expect.arrayContaining(['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']);
  const write = ['kms:Decrypt', 'kms:GenerateDataKey'];

  test.each([
    ['Check', { dynamodb: ledger }],
    ['Order', { dynamodb: ledger, secretsmanager: write }],
    ['Certificate', { dynamodb: ledger, secretsmanager: write }],
    ['Delivery', { dynamodb: ledger, secretsmanager: ['kms:Decrypt'] }],
    ['Challenge', {}],
  ])('%s', (role, expected) => {
    expect(uses(role, referred)).toEqual(expected);
  });
});

test('without a key the template has no permission or property for one', () => {
  expect(synthesize().text).not.toMatch(/kms:|KmsKeyId|ENCRYPTION_KEY/);
});
