import { DescribeExecutionCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateConfig } from '../../infra/config/certificate-config.ts';
import type { EndedExecution } from '../../local/executions.ts';
import type { Deployed } from './deployed.ts';
import { eventually, reaches, requestsOfOrders, requestsTo, scaleWaits, statesOf, workersOf } from './observed.ts';
import { deployedThroughBoulder } from './through-boulder.ts';

const zones = ['example.com'];
const names = ['validating', 'issuing', 'killed', 'abandoned', 'twice'];
const certificates: CertificateConfig[] = names.map((name) => ({ name, identifiers: [`${name}.example.com`] }));

let d: Deployed;
let sfn: SFNClient;

beforeAll(async () => {
  // Each order needs a new validation, which a test can interrupt. Nonces are never rejected, so the number of requests is exact.
  const chaos = { reuseAuthorizations: false, rejectNonces: false };
  d = await deployedThroughBoulder({ zones, certificates }, { pebble: { chaos } });
  sfn = new SFNClient(d.local.clientConfig);
});
afterAll(async () => {
  await d?.stop();
});

const markNow = () => d.local.pebble.requests().length;
const inputOf = async (executionArn: string): Promise<unknown> =>
  JSON.parse((await sfn.send(new DescribeExecutionCommand({ executionArn }))).input ?? 'null');

/** Stops an execution, waits for the execution that the restart rule starts, and returns it after its end. */
async function abort(arn: string): Promise<EndedExecution> {
  const before = new Set([...(await d.renewals()), arn]);
  await sfn.send(new StopExecutionCommand({ executionArn: arn }));
  return d.ended(await started(before));
}

/** Waits for a new execution and returns its ARN. */
const started = (before: ReadonlySet<string>): Promise<string> =>
  eventually('A new execution', async () => (await d.renewals()).find((each) => !before.has(each)));

const settled = { lease: null, order: null, leftovers: [], failure: null };

describe('a renewal that is stopped', () => {
  test('while the CA validates is resumed by a restart with the same order', async () => {
    const before = await d.secret('validating');
    const mark = markNow();
    const arn = await d.start({ certificate: 'validating', force: true });
    await reaches(d, arn, 'Wait for validation');
    const { order } = await d.ledger('validating');
    const restart = await abort(arn);

    expect(restart).toMatchObject({ status: 'SUCCEEDED' });
    expect(await inputOf(restart.arn)).toEqual({ restartOf: arn });
    expect(await statesOf(d, restart.arn)).toContain('Check order');
    expect(requestsOfOrders(d, mark)).toBe(1);
    expect((await d.secret('validating')).serialNumber).not.toBe(before.serialNumber);
    expect(await d.ledger('validating')).toMatchObject({ ...settled, current: { orderUrl: order?.url } });
    expect(await d.txt('example.com')).toEqual({});
  });

  test('while the CA issues is resumed by a restart without a second finalize request', async () => {
    const mark = markNow();
    const arn = await d.start({ certificate: 'issuing', force: true });
    await reaches(d, arn, 'Wait for issuance');
    const { order } = await d.ledger('issuing');
    const restart = await abort(arn);

    expect(restart).toMatchObject({ status: 'SUCCEEDED' });
    expect(await statesOf(d, restart.arn)).not.toContain('Prove control');
    expect([requestsOfOrders(d, mark), requestsTo(d, '/finalize-order', mark)]).toEqual([1, 1]);
    expect(await d.ledger('issuing')).toMatchObject({ ...settled, current: { orderUrl: order?.url } });
  });

  test('and whose restart is stopped too is finished by the fleet with the same order', async () => {
    const mark = markNow();
    const arn = await d.start({ certificate: 'twice', force: true });
    await reaches(d, arn, 'Wait for validation');
    const before = new Set([...(await d.renewals()), arn]);
    await sfn.send(new StopExecutionCommand({ executionArn: arn }));
    const restart = await started(before);
    await reaches(d, restart, 'Check zones of saved order');
    await sfn.send(new StopExecutionCommand({ executionArn: restart }));
    await d.fleet();

    const arns = await d.idle();
    const inputs = await Promise.all(arns.filter((each) => !before.has(each)).map(inputOf));
    expect(inputs.filter((input) => JSON.stringify(input).startsWith('{"restartOf"'))).toHaveLength(1);
    expect(requestsOfOrders(d, mark)).toBe(1);
    expect(await d.ledger('twice')).toMatchObject(settled);
    expect(await d.txt('example.com')).toEqual({});
  });
});

describe('a certificate that was issued but not stored', () => {
  /** Kills the function in *Store certificate*. Returns the ARN of the execution. */
  async function killed(certificate: string): Promise<string> {
    const arn = await d.start({ certificate, force: true });
    await reaches(d, arn, 'Wait for issuance');
    const workers = workersOf(d, 'Certificate');
    expect(workers).not.toEqual([]);
    for (const pid of workers) process.kill(pid, 'SIGSTOP');
    await reaches(d, arn, 'Store certificate');
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    return arn;
  }

  test('is downloaded in the next attempt of the same execution, without a new order', async () => {
    const before = await d.secret('killed');
    const mark = markNow();
    const arn = await killed('killed');
    const { order } = await d.ledger('killed');
    await scaleWaits(d, 0.02); // A minute takes 1.2 s.
    const run = await d.ended(arn);
    await scaleWaits(d, 1);

    expect(run).toMatchObject({ status: 'SUCCEEDED' });
    expect((await statesOf(d, arn)).filter((state) => state === 'Wait for next attempt')).toHaveLength(1);
    expect([requestsOfOrders(d, mark), requestsTo(d, '/finalize-order', mark)]).toEqual([1, 1]);
    expect((await d.secret('killed')).serialNumber).not.toBe(before.serialNumber);
    expect(await d.ledger('killed')).toMatchObject({ ...settled, current: { orderUrl: order?.url } });
  });

  test('is downloaded by the restart of an execution that was stopped before its retry, without a new order', async () => {
    const mark = markNow();
    const arn = await killed('abandoned');
    await reaches(d, arn, 'Wait for next attempt');
    const restart = await abort(arn);

    expect(restart).toMatchObject({ status: 'SUCCEEDED' });
    expect([requestsOfOrders(d, mark), requestsTo(d, '/finalize-order', mark)]).toEqual([1, 1]);
    expect(await d.ledger('abandoned')).toMatchObject(settled);
    expect(await d.txt('example.com')).toEqual({});
  });
});
