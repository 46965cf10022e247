import { isDeepStrictEqual } from 'node:util';
import { ACMClient, ListCertificatesCommand } from '@aws-sdk/client-acm';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CertificateConfig } from '../../infra/config/certificate-config.ts';
import { createLedger } from '../../lambdas/adapters/aws/dynamodb/ledger.ts';
import { stepFormat } from '../../lambdas/domain/contract/steps.ts';
import { startExecution } from '../../local/executions.ts';
import { deleteStack } from '../../local/stacks.ts';
import { type Deployed, deployed } from './deployed.ts';
import { eventually, reaches, requestsOfOrders } from './observed.ts';

// Deployments and the deletion of the stack while renewals run. The local AWS deletes a state machine only when its executions have ended, as AWS does.

const zones = ['example.com'];
const certificates: CertificateConfig[] = ['waiting', 'proving', 'revoked', 'revoked-too'].map((name) => ({
  name,
  identifiers: [`${name}.example.com`],
  ...(name === 'revoked' && { acm: ['us-east-1'] }),
  // It is renewed at each deployment.
  ...(name === 'proving' && { ignoreIssueCap: true }),
}));

let d: Deployed;
beforeAll(async () => {
  d = await deployed(
    { zones, certificates },
    { pebble: { chaos: { reuseAuthorizations: false, rejectNonces: false } } },
  );
});
afterAll(() => d?.stop());

async function inputOf(executionArn: string): Promise<unknown> {
  const { input } = await new SFNClient(d.local.clientConfig).send(new DescribeExecutionCommand({ executionArn }));
  return JSON.parse(input ?? 'null');
}

/** Returns the number of executions of these workflows that run. */
async function running(...workflows: readonly ('Fleet' | 'Renewal' | 'Accounts')[]): Promise<number> {
  const sfn = new SFNClient(d.local.clientConfig);
  const arns = workflows.map((workflow) => d.outputs[`${workflow}Arn`] ?? '');
  const lists = arns.map(async (stateMachineArn) => {
    const found = await sfn.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }));
    return found.executions?.length ?? 0;
  });
  return (await Promise.all(lists)).reduce((a, b) => a + b);
}

/** Returns what a deletion keeps: the serial numbers in the secrets, and the ARNs of the imports. */
async function kept() {
  const acm = new ACMClient({ ...d.local.clientConfig, region: 'us-east-1' });
  const { CertificateSummaryList: imports = [] } = await acm.send(
    new ListCertificatesCommand({ Includes: { keyTypes: ['EC_prime256v1'] } }),
  );
  const serialNumbers = certificates.map(async ({ name }) => [name, (await d.secret(name)).serialNumber]);
  return {
    serialNumbers: await Promise.all(serialNumbers),
    imports: imports.map(({ CertificateArn }) => CertificateArn),
  };
}

/** Marks the current certificate as revoked, so that the next fleet run starts its renewal. */
async function revoke(certificate: string): Promise<void> {
  const client = new DynamoDBClient(d.local.clientConfig);
  const { current } = await d.ledger(certificate);
  const ledger = createLedger({ table: d.outputs.LedgerTable ?? '', client });
  await ledger.recordRevocation(certificate, current?.versionId ?? '');
}

test.each([
  ['an upgrade', 'steps-2'],
  ['a rollback', stepFormat],
])(
  'a renewal that waits during %s to functions of another format ends without a failure, and a new execution finishes its order',
  async (_, format) => {
    const { serialNumber } = await d.secret('proving');
    const mark = d.local.pebble.requests().length;
    const proceed = await d.local.aws.holdState('Check propagation');
    const waiting = await d.start({ certificate: 'proving', force: true });
    await reaches(d, waiting, 'Check propagation');
    await d.update({ zones, certificates }, format);
    await proceed();

    expect(await d.ended(waiting)).toMatchObject({ status: 'FAILED', error: 'FunctionsReplacedError' });
    const restart = await eventually('The restart', async () => {
      const inputs = await Promise.all((await d.renewals()).map(inputOf));
      return inputs.find((input) => isDeepStrictEqual(input, { restartOf: waiting }));
    });
    expect(restart).toEqual({ restartOf: waiting });
    await d.idle();
    expect(requestsOfOrders(d, mark)).toBe(1);
    expect((await d.secret('proving')).serialNumber).not.toBe(serialNumber);
    expect(await d.ledger('proving')).toMatchObject({ lease: null, order: null, leftovers: [], failure: null });
    expect(await d.txt('example.com')).toEqual({});
  },
);

test('a stack is deleted under a waiting and a proving renewal and a paced fleet run, leaves no TXT value, and is deployed again without an order', async () => {
  // The CA refuses the first, and the others wait for their TXT values until the stack is deleted.
  const show = (['waiting', 'proving', 'revoked', 'revoked-too'] as const).map((each) =>
    d.local.dns.hide({
      view: each === 'waiting' ? 'validation' : 'authoritative',
      name: `_acme-challenge.${each}.example.com`,
    }),
  );
  const waiting = await d.start({ certificate: 'waiting', force: true });
  await reaches(d, waiting, 'Wait for next attempt');
  // Held during the update, because the local Lambda ends a call when its function is replaced. AWS lets the call end by itself.
  const proceed = await d.local.aws.holdState('Check propagation');
  const proving = await d.start({ certificate: 'proving', force: true });
  await reaches(d, proving, 'Check propagation');
  expect(Object.keys(await d.txt('example.com'))).toEqual(['_acme-challenge.proving.example.com']);
  expect(await running('Fleet', 'Renewal', 'Accounts')).toBe(2);
  await d.update({ zones, certificates, pace: 0.01 });
  await proceed();
  // While the fleet run of the deployment works, another one ends at once.
  await eventually('The end of the fleet run of the deployment', async () =>
    (await running('Fleet')) === 0 ? true : undefined,
  );
  for (const certificate of ['revoked', 'revoked-too']) await revoke(certificate);
  const fleet = await startExecution(d.local, d.outputs.FleetArn ?? '', {});
  // The fleet skips the two certificates that are being renewed. It waits to start the second of the others.
  await reaches(d, fleet, 'Wait for pace', 2);

  const before = await kept();
  expect(before.imports).toHaveLength(1);

  await deleteStack(d.local, 'Perennial');
  expect(await d.txt('example.com')).toEqual({});
  for (const arn of [fleet, waiting, proving]) expect(await d.ended(arn)).toMatchObject({ status: 'ABORTED' });
  for (const certificate of ['waiting', 'proving'])
    expect(await d.ledger(certificate)).toMatchObject({ lease: null, leftovers: [] });

  for (const each of show) each();
  // The new stack has a new ledger table, and adopts the certificates and the import that it finds.
  const mark = d.local.pebble.requests().length;
  await d.redeploy({ zones, certificates });
  expect(await kept()).toEqual(before);
  expect(requestsOfOrders(d, mark)).toBe(0);
  for (const certificate of ['waiting', 'proving'])
    expect(await d.renew({ certificate, force: true })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await d.txt('example.com')).toEqual({});
});
