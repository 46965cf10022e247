import { rootCertificates } from 'node:tls';
import { Duration, Lazy, type Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { acmeDirectory, ConfigError } from '../../infra/index.ts';
import { WorkflowFunction } from '../../infra/workflows/workflow-function.ts';
import { ofType, type Resource, resolve, smallConfig, synthesize } from './synthesized.ts';

const synthesized = synthesize();
const { resources } = synthesized;
const [root = ''] = rootCertificates;

describe('the stack', () => {
  test('has the same assets when it is synthesized again', () => {
    expect(synthesize(smallConfig).text).toBe(synthesized.text);
  });

  test('changes only the assets of the functions that read the configuration when the configuration changes', () => {
    const certificates = [...smallConfig.certificates, { name: 'api', identifiers: ['api.example.com'] }];
    const other = synthesize({ ...smallConfig, certificates }).resources;
    const assets = (of: typeof resources) =>
      ofType(of, 'AWS::Lambda::Function').map(([id, { Properties }]) => `${id} ${JSON.stringify(Properties.Code)}`);
    const changed = assets(other).filter((asset) => !assets(resources).includes(asset));
    expect(changed.map((asset) => asset.split('Function')[0])).toEqual([
      'CertificatesCheck',
      'CertificatesFleet',
      'CertificatesReport',
    ]);
  });

  test('has no outputs of the construct, so that its ids never meet those of the app', () => {
    expect(synthesized.outputs).toEqual([]);
  });

  test('has tags on its functions and state machines by which tools find the deployment', () => {
    const parts = ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'].flatMap((type) =>
      ofType(resources, type),
    );
    expect(parts).toHaveLength(12);
    for (const [id, { Properties }] of parts)
      expect(Properties.Tags, id).toEqual([
        ...(id.includes('Report') ? [{ Key: 'perennial:part', Value: 'report' }] : []),
        { Key: 'perennial:secrets', Value: 'certificates/' },
        { Key: 'perennial:stack', Value: 'Perennial' },
      ]);
    expect(ofType(resources, 'AWS::IAM::Role').flatMap(([, { Properties }]) => Properties.Tags ?? [])).toEqual([]);
  });
});

test('a prefix that is longer than a tag can be is cut in the tags', () => {
  const long = synthesize({ ...smallConfig, secretPrefix: `${'p'.repeat(400)}/` }).resources;
  for (const [id, { Properties }] of ofType(long, 'AWS::StepFunctions::StateMachine'))
    expect(Properties.Tags, id).toContainEqual({ Key: 'perennial:secrets', Value: 'p'.repeat(256) });
});

describe('the functions', () => {
  test('run on Node.js 24 on ARM, each with its own role and without managed policies of AWS', () => {
    const functions = ofType(resources, 'AWS::Lambda::Function');
    for (const [id, { Properties }] of functions)
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: id.includes('ExecutionsStop') ? 'index.onDelete' : 'index.handler',
      });
    expect(new Set(functions.map(([, { Properties }]) => JSON.stringify(Properties.Role))).size).toBe(9);
    for (const [id, { Properties }] of ofType(resources, 'AWS::IAM::Role'))
      expect(Properties.ManagedPolicyArns, id).toBeUndefined();
  });

  test.each([
    [10, 100],
    [45, 345],
    [200, 900],
  ])('have time for a chain and four alternate chains from a CA whose replies take %i s', (replyTimeout, seconds) => {
    const slow = acmeDirectory({ directoryUrl: 'https://acme.test/dir', replyTimeout });
    const [[, certificate]] = ofType(
      synthesize({ ...smallConfig, issuer: slow }).resources,
      'AWS::Lambda::Function',
    ).filter(([id]) => id.startsWith('CertificatesCertificateFunction')) as [[string, Resource]];
    expect(certificate.Properties.Timeout).toBe(seconds);
  });

  test('have environment variables only for the ledger and the prefixes that they use', () => {
    const variables = Object.fromEntries(
      ofType(resources, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
        const { Variables } = resolve(Properties.Environment, resources) as { Variables: Record<string, string> };
        const names = Object.keys(Variables).filter((name) => !/^(POWERTOOLS|AWS)_/.test(name));
        return [id.replace(/^Certificates|(Deployment)?Function\w*$/g, ''), names.toSorted()];
      }),
    );
    expect(variables).toEqual({
      Check: ['CONFIG_TOKENS', 'LEDGER_TABLE', 'SECRET_PREFIX', 'STACK_TAG'],
      Order: ['ACCOUNT_SECRET_PREFIX', 'LEDGER_TABLE', 'STACK_TAG'],
      Challenge: [],
      Certificate: ['ACCOUNT_SECRET_PREFIX', 'LEDGER_TABLE', 'SECRET_PREFIX', 'STACK_TAG'],
      Delivery: ['LEDGER_TABLE', 'SECRET_PREFIX', 'STACK_TAG'],
      Report: ['CONFIG_TOKENS', 'DEPLOYMENT', 'LEDGER_TABLE'],
      Fleet: ['CONFIG_TOKENS', 'LEDGER_TABLE', 'METRICS_DEPLOYMENT', 'SECRET_PREFIX', 'STACK_TAG'],
      FleetStart: [],
      ExecutionsStop: ['LEDGER_TABLE'],
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

  test('has the configuration as a file only in the check function', () => {
    expect(filesOf(synthesized, 'Check')).toEqual(['config.json', 'index.mjs']);
    expect(filesOf(synthesized, 'Order')).toEqual(['index.mjs']);
  });

  test.each(['Order', 'Certificate'])('of %s has the root certificates that the configuration trusts', (name) => {
    expect(filesOf(synthesize(trusting), name)).toEqual(['index.mjs', 'roots.json']);
  });

  test('that was not built is an error that names the command to run', () => {
    const make = (stack: Stack) =>
      new WorkflowFunction(stack, 'Nowhere', { folder: 'nowhere', description: '', timeout: Duration.seconds(1) });
    expect(() => synthesize(smallConfig, make)).toThrow(ConfigError);
    expect(() => synthesize(smallConfig, make)).toThrow(/functions are not built.*npm run build/);
  });
});

describe('a configuration with CDK tokens', () => {
  test('is rejected at synth if they do not fit into the environment of a function', () => {
    const hostedZones = Array.from({ length: 101 }, (_, index) => ({
      id: Lazy.string({ produce: () => 'Z1' }),
      name: `z${index}.example`,
    }));
    const certificates = [{ name: 'www', identifiers: ['z1.example'] }];
    expect(() => synthesize({ ...smallConfig, hostedZones, certificates })).toThrow('found 101 CDK tokens');
  });

  test('is accepted if they fit', () => {
    const hostedZones = Array.from({ length: 100 }, (_, index) => ({
      id: Lazy.string({ produce: () => `Z${index}` }),
      name: `z${index}.example`,
    }));
    const certificates = [{ name: 'www', identifiers: ['z1.example'] }];
    expect(() => synthesize({ ...smallConfig, hostedZones, certificates })).not.toThrow();
  });
});

describe('the only resource that is retained when the stack is deleted', () => {
  test('is the ledger, which has point-in-time recovery and deletion protection', () => {
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

  test('has no fixed name, which another deployment could not use', () => {
    const kept = Object.entries(resources).filter(([, { DeletionPolicy }]) => /^Retain/.test(DeletionPolicy ?? ''));
    expect(kept.map(([, { Type }]) => Type)).toEqual(['AWS::DynamoDB::Table']);
    for (const [id, { Properties }] of kept)
      expect(
        Object.keys(Properties).filter((property) => /Name$/.test(property)),
        id,
      ).toEqual([]);
  });

  test('is not a log group, and every log group has a retention time', () => {
    const logs = ofType(resources, 'AWS::Logs::LogGroup');
    expect(logs).toHaveLength(12);
    for (const [id, { DeletionPolicy, Properties }] of logs) {
      expect(DeletionPolicy, id).toBe('Delete');
      expect(Properties.RetentionInDays, id).toBe(90);
    }
  });
});

describe('the workflows', () => {
  const machines = ofType(resources, 'AWS::StepFunctions::StateMachine');

  test('log every transition without execution data', () => {
    for (const [id, { Properties }] of machines)
      expect(Properties.LoggingConfiguration, id).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
  });

  test('have names that begin with the name of the stack and have at most 80 characters', () => {
    const names = machines.map(([, { Properties }]) => String(Properties.StateMachineName));
    expect(names.toSorted()).toEqual([
      expect.stringMatching(/^Perennial-.*-accounts$/),
      expect.stringMatching(/^Perennial-.*-fleet$/),
      expect.stringMatching(/^Perennial-.*-renewal$/),
    ]);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(80);
  });

  test('are created before the deployment starts the fleet', () => {
    const [start] = ofType(resources, 'Custom::FleetStart');
    // The CDK creates the role of the schedule in the scope of the stack. Alarms and saved queries need the function that starts the fleet.
    const later = /^CertificatesFleetStart|^SchedulerRole|^CertificatesAlarms|^CertificatesSavedQueries/;
    const others = Object.keys(resources).filter((id) => !later.test(id));
    expect(start?.[1].DependsOn).toEqual(expect.arrayContaining(others));
  });
});
