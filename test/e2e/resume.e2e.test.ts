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

/** An execution that is held in a state. */
interface Held {
  readonly arn: string;
  /** Releases the state for all executions. */
  readonly proceed: () => Promise<void>;
}

/** Starts a forced renewal, and holds it when it enters this state. */
async function heldIn(state: string, certificate: string): Promise<Held> {
  const proceed = await d.local.aws.holdState(state);
  const arn = await d.start({ certificate, force: true });
  await reaches(d, arn, state);
  return { arn, proceed };
}

/** Stops an execution. Returns the ARN of the execution that the restart rule starts. */
async function stopped({ arn, proceed }: Held): Promise<string> {
  const before = new Set([...(await d.renewals()), arn]);
  await sfn.send(new StopExecutionCommand({ executionArn: arn }));
  await proceed();
  return eventually('A new execution', async () => (await d.renewals()).find((each) => !before.has(each)));
}

/** Stops an execution, and returns its restart after its end. */
const abort = async (held: Held): Promise<EndedExecution> => d.ended(await stopped(held));

const settled = { lease: null, order: null, leftovers: [], failure: null };

describe('a renewal that is stopped', () => {
  test('while the CA validates is resumed by a restart with the same order', async () => {
    const before = await d.secret('validating');
    const mark = markNow();
    const held = await heldIn('Wait for validation', 'validating');
    const { order } = await d.ledger('validating');
    const restart = await abort(held);

    expect(restart).toMatchObject({ status: 'SUCCEEDED' });
    expect(await inputOf(restart.arn)).toEqual({ restartOf: held.arn });
    expect(await statesOf(d, restart.arn)).toContain('Check order');
    expect(requestsOfOrders(d, mark)).toBe(1);
    expect((await d.secret('validating')).serialNumber).not.toBe(before.serialNumber);
    expect(await d.ledger('validating')).toMatchObject({ ...settled, current: { orderUrl: order?.url } });
    expect(await d.txt('example.com')).toEqual({});
  });

  test('while the CA issues is resumed by a restart without a second finalize request', async () => {
    const mark = markNow();
    const held = await heldIn('Wait for issuance', 'issuing');
    const { order } = await d.ledger('issuing');
    const restart = await abort(held);

    expect(restart).toMatchObject({ status: 'SUCCEEDED' });
    expect(await statesOf(d, restart.arn)).not.toContain('Prove control');
    expect([requestsOfOrders(d, mark), requestsTo(d, '/finalize-order', mark)]).toEqual([1, 1]);
    expect(await d.ledger('issuing')).toMatchObject({ ...settled, current: { orderUrl: order?.url } });
  });

  test('and whose restart is stopped too is finished by the fleet with the same order', async () => {
    const mark = markNow();
    const first = await heldIn('Wait for validation', 'twice');
    const before = new Set(await d.renewals());
    const proceed = await d.local.aws.holdState('Check zones of saved order');
    const restart = await stopped(first);
    await reaches(d, restart, 'Check zones of saved order');
    await sfn.send(new StopExecutionCommand({ executionArn: restart }));
    await proceed();
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
  function kill(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The process has ended already.
    }
  }

  /** Kills the function in *Store certificate*. The execution is held before its next attempt. */
  async function killed(certificate: string): Promise<Held> {
    const { arn, proceed } = await heldIn('Wait for issuance', certificate);
    const workers = workersOf(d, 'Certificate');
    expect(workers).not.toEqual([]);
    for (const pid of workers) process.kill(pid, 'SIGSTOP');
    const held = { arn, proceed: await d.local.aws.holdState('Wait for next attempt') };
    await proceed();
    await reaches(d, arn, 'Store certificate');
    // If a process is killed before it gets the call, the call starts another process.
    await eventually('The failure of Store certificate', async () => {
      for (const pid of workersOf(d, 'Certificate')) kill(pid);
      return (await statesOf(d, arn)).includes('Wait for next attempt') ? true : undefined;
    });
    return held;
  }

  test('is downloaded in the next attempt of the same execution, without a new order', async () => {
    const before = await d.secret('killed');
    const mark = markNow();
    const { arn, proceed } = await killed('killed');
    const { order } = await d.ledger('killed');
    await scaleWaits(d, 0.02); // A minute takes 1.2 s.
    await proceed();
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
    const restart = await abort(await killed('abandoned'));

    expect(restart).toMatchObject({ status: 'SUCCEEDED' });
    expect([requestsOfOrders(d, mark), requestsTo(d, '/finalize-order', mark)]).toEqual([1, 1]);
    expect(await d.ledger('abandoned')).toMatchObject(settled);
    expect(await d.txt('example.com')).toEqual({});
  });
});
