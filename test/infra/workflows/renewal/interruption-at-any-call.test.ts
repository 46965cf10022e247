import { describe, expect, test } from 'vitest';
import { FunctionsReplacedError, UnexpectedError } from '../../../../lambdas/domain/contract/errors.ts';
import { deniedError } from '../../../fakes/aws-errors.ts';
import { Killed } from '../../../fakes/recorder.ts';
import { execution, otherExecution, specWith } from '../../../fakes/specs.ts';
import type { World } from '../../../fakes/world.ts';
import { TaskError } from '../state-machine.ts';
import { renew, request, spec, stepNames, thirdExecution, world } from './renewal-in-memory.ts';

const restart = { restartOf: execution };

/** Returns the names of all calls of ports in a renewal. */
async function callsOfARenewal(): Promise<string[]> {
  const w = world();
  expect(await renew(w, { input: request, arn: execution })).toMatchObject({
    status: 'SUCCEEDED',
  });
  return w.calls.names();
}

const isStep = (seen: object): seen is { readonly state: string } =>
  'state' in seen && !`${seen.state}`.startsWith('Announce');

/** Returns the names of all states in a renewal that call a function. */
async function stepsOfARenewal(): Promise<string[]> {
  const states: string[] = [];
  const observe = (seen: object) => {
    if (isStep(seen)) states.push(seen.state);
  };
  await renew(world(), { input: request, arn: execution, observe });
  return states;
}

function expectIssuedOnce(w: World, last: string): void {
  expect(w.ca.finalizedWith.size, last).toBe(1);
  expect(w.secrets.labelled('www', 'AWSCURRENT'), last).toContain('"format":1');
  expect(w.hostedZones.all('Z1'), last).toEqual([]);
  expect(w.ledger.get('www'), last).toMatchObject({ lease: null, order: null, leftovers: [] });
  const { current, deliveries, served } = w.ledger.get('www');
  expect(w.events.announcedVersions(), last).toContain(current?.versionId);
  expect(w.ledger.get('www').announcedVersion, last).toBe(current?.versionId);
  expect(deliveries['us-east-1']?.versionId, last).toBe(current?.versionId);
  expect(served, last).toMatchObject({ served: true, versionId: current?.versionId });
}

describe('a renewal', () => {
  test.each([
    ['reads the input of the interrupted execution, publishes no event', 'executions.describe', []],
    ['describes the secret, counts and publishes the failure of its certificate', 'secrets.describe', ['www']],
  ])('whose restart fails when it %s, and tries again', async (_, call, certificates) => {
    const w = world();
    w.calls.killAfter(3);
    await expect(renew(w, { input: request, arn: execution })).rejects.toThrow(Killed);
    w.calls.restart();
    w.executions.setStatus(execution, 'ended');
    w.calls.answer(call, new UnexpectedError({ what: 'It broke.' }));
    expect((await renew(w, { input: restart, arn: otherExecution })).status).toBe('SUCCEEDED');
    const failed = w.events.published.filter(({ detailType }) => detailType === 'Certificate Renewal Failed');
    expect(failed.map(({ detail }) => detail.certificate)).toEqual(certificates);
    expect(w.calls.names('ledger.recordFailure')).toHaveLength(certificates.length);
  });

  test('is finished by its restart if it is stopped after any call, with one issuance, a delivery, and no TXT values in DNS, and publishes the event again only if it was stopped between the event and its record', async () => {
    const calls = await callsOfARenewal();
    expect(calls.length).toBeGreaterThan(30);
    const published = calls.indexOf('events.publish');
    const recorded = calls.indexOf('ledger.recordSuccess');
    for (const [index, last] of calls.entries()) {
      const w = world();
      w.calls.killAfter(index + 1);
      await expect(renew(w, { input: request, arn: execution })).rejects.toThrow(Killed);
      w.calls.restart();
      w.executions.setStatus(execution, 'ended');
      const { status, cause } = await renew(w, { input: restart, arn: otherExecution });
      expect([status, cause], last).toEqual(['SUCCEEDED', '']);
      expectIssuedOnce(w, `${index + 1}: ${last}`);
      await renew(w, { input: request, arn: thirdExecution });
      const isBetween = published <= index && index < recorded;
      expect(w.events.announcedVersions(), `${index + 1}: ${last}`).toHaveLength(isBetween ? 2 : 1);
    }
  }, 60_000);

  test('continues if its function is killed after any call, and the next execution removes the remaining TXT values and publishes an event that was lost', async () => {
    const calls = await callsOfARenewal();
    for (const [index, last] of calls.entries()) {
      const w = world();
      w.calls.killAfter(index + 1);
      const revived = () => {
        w.calls.restart();
        return new TaskError('Runtime.ExitError', 'signal: killed');
      };
      const { status, cause } = await renew(w, { input: request, arn: execution, killed: revived });
      expect([status, cause], last).toEqual(['SUCCEEDED', '']);
      w.executions.setStatus(execution, 'ended');
      await renew(w, { input: request, arn: thirdExecution });
      expectIssuedOnce(w, `${index + 1}: ${last}`);
    }
  }, 60_000);

  test('is finished by its restart if a deployment replaces its functions before any step, and no failure is recorded or published', async () => {
    const replaced = new FunctionsReplacedError({ what: 'The step was not run.' });
    const all = Object.fromEntries(stepNames.map((name) => [name, replaced]));
    const states = await stepsOfARenewal();
    expect(states.length).toBeGreaterThan(12);
    for (const [index, state] of states.entries()) {
      const w = world();
      const failing: Record<string, Error> = {};
      let entered = 0;
      const observe = (seen: object) => {
        if (isStep(seen) && entered++ === index) Object.assign(failing, all);
      };
      const { status, error } = await renew(w, { input: request, arn: execution, failing, observe });
      // The endpoints are checked after the renewal has succeeded. If that fails, the next execution checks them.
      const isLast = state === 'Check endpoints';
      expect([state, status, error]).toEqual([state, ...(isLast ? ['SUCCEEDED', ''] : ['FAILED', replaced.name])]);
      w.executions.end(execution, status, isLast ? null : error);
      const next = await renew(w, { input: isLast ? request : restart, arn: otherExecution });
      expect([next.status, next.cause], state).toEqual(['SUCCEEDED', '']);
      expectIssuedOnce(w, state);
      expect(w.ledger.get('www').failure, state).toBeNull();
      const types = w.events.published.map(({ detailType }) => detailType);
      expect(types, state).not.toContain('Certificate Renewal Failed');
    }
  });

  test('publishes the event in a later execution if EventBridge rejects it', async () => {
    const w = world();
    w.calls.answer('events.publish', new TaskError('EventBridge.FailedEntry', 'internal failure'));
    await renew(w, { input: request, arn: execution });
    expect(w.events.announcedVersions()).toEqual([]);
    w.executions.setStatus(execution, 'ended');
    const { entered } = await renew(w, { input: request, arn: otherExecution });
    expect(entered).toContain('Announce');
    expect(entered).not.toContain('New order');
    expect(w.events.announcedVersions()).toEqual([w.ledger.get('www').current?.versionId]);
    const region = { region: 'us-east-1', imported: false };
    expect(w.events.published.at(-1)?.detail).toMatchObject({ deliveries: [region] });
  });

  test('publishes the event of a partial delivery once, and again when the rest is delivered', async () => {
    const w = world();
    w.acm.addRegion('eu-west-1');
    const configured = specWith({ ...spec, regions: ['us-east-1', 'eu-west-1'] });
    const stopped = { importCertificate: new Killed('stopped') };
    await expect(renew(w, { input: request, arn: execution, configured, failing: stopped })).rejects.toThrow(Killed);
    w.executions.setStatus(execution, 'ended');
    // The restart has no order of its own, and imports nothing.
    const failing = { importCertificate: deniedError('ACM denies it.') };
    await renew(w, { input: restart, arn: otherExecution, configured, failing });
    const { current, announcedVersion } = w.ledger.get('www');
    expect(w.events.announcedVersions()).toEqual([current?.versionId]);
    expect(announcedVersion).toBe(current?.versionId);
    expect(w.events.published.at(-1)?.detailType).toBe('Certificate Renewal Failed');
    w.executions.setStatus(otherExecution, 'ended');
    w.clock.advance(25 * 3_600_000);
    await renew(w, { input: request, arn: thirdExecution, configured });
    expect(w.events.announcedVersions()).toEqual([current?.versionId, current?.versionId]);
  });

  test('only shares the secret if readers are configured after it, so that no server reloads', async () => {
    const w = world();
    await renew(w, { input: request, arn: execution });
    w.executions.setStatus(execution, 'ended');
    const readers = ['arn:aws:iam::444455556666:role/web'];
    const configured = specWith({ ...spec, readers });
    const { current, deliveries, served } = w.ledger.get('www');
    const { status, entered } = await renew(w, {
      input: request,
      arn: otherExecution,
      configured,
    });
    expect(status).toBe('SUCCEEDED');
    expect(entered.slice(-4)).toEqual(['Share secret', 'Record success', 'Any endpoints?', 'Done']);
    expect(w.secrets.access('www').readers).toEqual(readers);
    const access = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(w.ledger.get('www')).toMatchObject({ current, deliveries, served, access, lease: null, failure: null });
    const again = await renew(w, { input: request, arn: thirdExecution, configured });
    expect(again.entered.at(-1)).toBe('Nothing to do');
  });
});
