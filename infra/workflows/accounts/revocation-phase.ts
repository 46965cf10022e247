import { Choice, Condition, Pass, type StateMachine, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { keepError } from '../error-output.ts';
import { caught, exits, merged } from '../exits.ts';
import { startRenewal } from '../renewal-start.ts';
import { caUnavailable, executionExists, renewalsInProgress } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { isObject, run } from './account-variables.ts';

/**
 * Revokes a certificate. If it was the current one, a forced renewal replaces and delivers it.
 *
 * A compromised key is marked first, so that no renewal uses it from then on. The revocation then holds the lease of the certificate, so that no
 * renewal stores a certificate with this key between the list of versions and their revocation. A renewal in progress delays it by ten minutes at
 * most, and so does a CA that is issuing a certificate with this key. The lease is released before the renewal is started.
 *
 * If an execution was stopped, its function may still run. A function that chose its key before the mark may send its CSR after the revocation. If an
 * order with the key is ready, the revocation is therefore repeated after the timeout of the function.
 */
export function revocationPhase(
  scope: Construct,
  {
    check,
    certificate,
    renewal,
  }: Record<'check' | 'certificate', WorkflowFunction> & { readonly renewal: StateMachine },
) {
  const versionId = '{% $resolved.versionId %}';
  const markCompromisedKey = certificate.step(scope, 'Mark compromised key', { payload: { versionId }, run });
  const takeLease = check.step(scope, 'Take lease', { payload: {}, run, retry: [renewalsInProgress] });
  const revocation = {
    step: 'revokeCertificate',
    payload: { spec: '{% $resolved.spec %}', versionId, reason: '{% $resolved.reason %}' },
    run,
    retry: [caUnavailable, renewalsInProgress],
  };
  const revokeCertificate = certificate.step(scope, 'Revoke certificate', {
    ...revocation,
    assign: { revocation: '{% $states.result.Payload %}' },
  });
  const revokeAgain = certificate.step(scope, 'Revoke again', {
    ...revocation,
    outputs: '{% $states.input %}',
    assign: { revocation: "{% $merge([$states.result.Payload, { 'renew': $revocation.renew }]) %}" },
  });
  const functionEnds = Wait.jsonata(scope, 'Wait for the end of functions', {
    time: WaitTime.duration(certificate.timeout),
  });
  const releaseLease = check.step(scope, 'Release lease', { payload: {}, run });
  const replaced = replacementStates(scope, renewal);
  const revoked = Pass.jsonata(scope, 'Revoked', {
    outputs: "{% $merge([$revocation, $states.input.renewal ? { 'renewal': $states.input.renewal } : {}]) %}",
  });

  const start = Choice.jsonata(scope, 'Key compromised?')
    .when(Condition.jsonata("{% $resolved.reason = 'keyCompromise' %}"), markCompromisedKey)
    .otherwise(takeLease);
  markCompromisedKey.next(takeLease);
  // After ten minutes, or if the lease cannot be taken at all.
  takeLease.addCatch(revokeCertificate).next(revokeCertificate);
  revokeCertificate.addCatch(releaseLease, keepError).next(releaseLease);
  // The lease of an execution that has ended is free, so a failed release is no reason to fail.
  releaseLease.addCatch(replaced.start).next(replaced.start);
  replaced.done.next(
    Choice.jsonata(scope, 'Revoke again?')
      .when(Condition.jsonata('{% $revocation.mayFollow = true %}'), functionEnds)
      .otherwise(revoked),
  );
  functionEnds.next(revokeAgain).next(revoked);
  return {
    start,
    done: revoked,
    failed: merged(caught([markCompromisedKey, revokeAgain], keepError), replaced.failed),
  };
}

/**
 * Starts the renewal that replaces a revoked certificate, if it was the current one. A compromised key is replaced also if its revocation has failed.
 * The renewal then is not forced, because the ledger tells whether the current certificate has the key.
 */
function replacementStates(scope: Construct, renewalWorkflow: StateMachine) {
  const renewal = startRenewal(scope, renewalWorkflow, {
    name: '{% $resolved.executionName %}',
    input: { certificate: '{% $certificate %}', force: `{% ${isObject('revocation')} %}` },
    outputs: "{% { 'renewal': $states.result.ExecutionArn } %}",
  });
  const isDue = `${isObject('revocation')} ? $revocation.renew : $resolved.reason = 'keyCompromise'`;
  const revocationFailed = Choice.jsonata(scope, 'Revocation failed?');
  const start = Choice.jsonata(scope, 'Renew?')
    .when(Condition.jsonata(`{% ${isDue} %}`), renewal)
    .otherwise(revocationFailed);
  // The name is derived from this execution, so an existing renewal of this name was started by an earlier attempt of this state.
  renewal.addCatch(revocationFailed, { errors: [executionExists] }).next(revocationFailed);
  const { done, failed } = exits({
    failed: (next) => revocationFailed.when(Condition.jsonata(`{% ${isObject('errorOutput')} %}`), next),
    done: (next) => revocationFailed.otherwise(next),
  });
  return { start, done, failed: merged(failed, caught([renewal], keepError)) };
}
