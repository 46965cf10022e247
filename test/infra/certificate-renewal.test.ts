import { rootCertificates } from 'node:tls';
import { Duration, Lazy, type Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { acmeDirectory } from '../../infra/index.ts';
import { WorkflowFunction } from '../../infra/workflows/workflow-function.ts';
import { ofType, resolve, smallConfig, synthesize } from './synthesized.ts';

const synthesized = synthesize();
const { resources } = synthesized;
const [root = ''] = rootCertificates;

describe('the stack', () => {
  test('is the same, asset for asset, when it is synthesized again', () => {
    expect(synthesize(smallConfig).text).toBe(synthesized.text);
  });

  test('changes the asset of the function that decides with the config, and no other', () => {
    const certificates = [...smallConfig.certificates, { name: 'api', identifiers: ['api.example.com'] }];
    const other = synthesize({ ...smallConfig, certificates }).resources;
    const assets = (of: typeof resources) =>
      ofType(of, 'AWS::Lambda::Function').map(([id, { Properties }]) => `${id} ${JSON.stringify(Properties.Code)}`);
    const changed = assets(other).filter((asset) => !assets(resources).includes(asset));
    expect(changed.map((asset) => asset.split('Function')[0])).toEqual(['CertificatesCheck']);
  });

  test('puts out what a person needs', () => {
    expect(synthesized.outputs).toEqual(
      expect.arrayContaining([
        'FleetArn',
        'RenewalArn',
        'AccountsArn',
        'AccountsLogs',
        'StartRenewal',
        'LedgerTable',
        'SecretPrefix',
        'FleetLogs',
        'RenewalLogs',
        'CheckLogs',
      ]),
    );
  });
});

describe('the functions', () => {
  test('run on Node.js 24 on ARM, each with a role of its own and no managed policy of AWS', () => {
    const functions = ofType(resources, 'AWS::Lambda::Function');
    for (const [id, { Properties }] of functions)
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
    expect(new Set(functions.map(([, { Properties }]) => JSON.stringify(Properties.Role))).size).toBe(6);
    for (const [id, { Properties }] of ofType(resources, 'AWS::IAM::Role'))
      expect(Properties.ManagedPolicyArns, id).toBeUndefined();
  });

  test('name the ledger and the prefixes to those that use them, and to no others', () => {
    const variables = Object.fromEntries(
      ofType(resources, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
        const { Variables } = resolve(Properties.Environment, resources) as { Variables: Record<string, string> };
        const ours = Object.keys(Variables).filter((name) => !/^(POWERTOOLS|AWS)_/.test(name));
        return [id.replace(/^Certificates|(Deployment)?Function\w*$/g, ''), ours.toSorted()];
      }),
    );
    expect(variables).toEqual({
      Check: ['CONFIG_TOKENS', 'LEDGER_TABLE', 'SECRET_PREFIX', 'STACK_TAG'],
      Order: ['ACCOUNT_SECRET_PREFIX', 'LEDGER_TABLE', 'STACK_TAG'],
      Challenge: [],
      Certificate: ['ACCOUNT_SECRET_PREFIX', 'LEDGER_TABLE', 'SECRET_PREFIX', 'STACK_TAG'],
      Delivery: ['LEDGER_TABLE', 'SECRET_PREFIX', 'STACK_TAG'],
      FleetStart: [],
    });
  });
});

describe('the code of the functions', () => {
  const trusting = {
    ...smallConfig,
    issuer: acmeDirectory({ directoryUrl: 'https://acme.test/dir', trustedRoots: [root] }),
  };
  const filesOf = ({ files }: typeof synthesized, name: string) =>
    Object.entries(files).flatMap(([id, names]) =>
      id.startsWith(`Certificates${name}Function`) ? names.toSorted() : [],
    );

  test('comes with the config beside it where it is read', () => {
    expect(filesOf(synthesized, 'Check')).toEqual(['config.json', 'index.mjs']);
    expect(filesOf(synthesized, 'Order')).toEqual(['index.mjs']);
  });

  test.each(['Order', 'Certificate'])('of %s comes with the roots that the config trusts', (name) => {
    expect(filesOf(synthesize(trusting), name)).toEqual(['index.mjs', 'roots.pem']);
  });

  test('that was not built is asked for in one sentence', () => {
    const make = (stack: Stack) =>
      new WorkflowFunction(stack, 'Nowhere', { folder: 'nowhere', description: '', timeout: Duration.seconds(1) });
    expect(() => synthesize(smallConfig, make)).toThrow('The function nowhere is not built');
    expect(() => synthesize(smallConfig, make)).toThrow('run "npm run build"');
  });
});

describe('a config with too many tokens for a function’s environment', () => {
  test('is refused at synth', () => {
    const hostedZones = Array.from({ length: 101 }, (_, index) => ({
      id: Lazy.string({ produce: () => 'Z1' }),
      name: `z${index}.example`,
    }));
    const certificates = [{ name: 'www', identifiers: ['z1.example'] }];
    expect(() => synthesize({ ...smallConfig, hostedZones, certificates })).toThrow('found 101 CDK tokens');
  });

  test('and one with as many as fit is not', () => {
    const hostedZones = Array.from({ length: 100 }, (_, index) => ({
      id: Lazy.string({ produce: () => `Z${index}` }),
      name: `z${index}.example`,
    }));
    const certificates = [{ name: 'www', identifiers: ['z1.example'] }];
    expect(() => synthesize({ ...smallConfig, hostedZones, certificates })).not.toThrow();
  });
});

describe('what outlives the stack', () => {
  test('is the ledger, which can be wound back and not be deleted by mistake', () => {
    const [table] = ofType(resources, 'AWS::DynamoDB::Table');
    expect(table?.[1]).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    });
  });

  test('is nothing with a name of its own, which a stack deployed again would find taken', () => {
    const kept = Object.entries(resources).filter(([, { DeletionPolicy }]) => /^Retain/.test(DeletionPolicy ?? ''));
    expect(kept.map(([, { Type }]) => Type)).toEqual(['AWS::DynamoDB::Table']);
    for (const [id, { Properties }] of kept)
      expect(
        Object.keys(Properties).filter((property) => /Name$/.test(property)),
        id,
      ).toEqual([]);
  });

  test('is no log, and none is kept for ever', () => {
    const logs = ofType(resources, 'AWS::Logs::LogGroup');
    expect(logs).toHaveLength(9);
    for (const [id, { DeletionPolicy, Properties }] of logs) {
      expect(DeletionPolicy, id).toBe('Delete');
      expect(Properties.RetentionInDays, id).toBe(90);
    }
  });
});

describe('the workflows', () => {
  const machines = ofType(resources, 'AWS::StepFunctions::StateMachine');

  test('log every transition and no data of an execution', () => {
    for (const [id, { Properties }] of machines)
      expect(Properties.LoggingConfiguration, id).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
  });

  test('are named after the stack, within the 80 characters of Step Functions', () => {
    const names = machines.map(([, { Properties }]) => String(Properties.StateMachineName));
    expect(names.toSorted()).toEqual([
      expect.stringMatching(/^Perennial-.*-accounts$/),
      expect.stringMatching(/^Perennial-.*-fleet$/),
      expect.stringMatching(/^Perennial-.*-renewal$/),
    ]);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(80);
  });

  test('are there before the fleet is started after a deployment', () => {
    const [start] = ofType(resources, 'Custom::FleetStart');
    // The schedule's role stands at the stack, where CDK's target puts it.
    const others = Object.keys(resources).filter((id) => !/^CertificatesFleetStart|^SchedulerRole/.test(id));
    expect(start?.[1].DependsOn).toEqual(expect.arrayContaining(others));
  });
});
