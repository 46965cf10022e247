import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import type { Stacks } from '../domain/ports/stacks.ts';
import type { StateMachines } from '../domain/ports/state-machines.ts';
import { withPermissionRetries } from './permission-retries.ts';

/** Properties of the custom resource. */
interface CertificateProperties {
  readonly StateMachineArn: string;
  readonly Certificate: string;
  readonly Region: string;
  /**
   * Spec hashes of the configured certificate, one for each of its issuers (`specHash` in `rules/certificate/certificate-spec.ts`). They differ
   * after a change of the certificate, so that CloudFormation sends an update.
   */
  readonly SpecHashes: readonly string[];
  /** Version of the whole configuration and of the code of the functions. */
  readonly Version: string;
}

/** The part of CloudFormation's request that is used here. CDK's Provider framework passes it on. */
export interface CertificateRequestEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly ResourceProperties: CertificateProperties;
  /** Present for an `Update` only. */
  readonly OldResourceProperties?: CertificateProperties;
}

/** The result, which the Provider framework adds to the event of `awaitDelivery`. */
export interface RequestedRenewal {
  /** Id of the resource. It never changes, because CloudFormation deletes the old resource after a change of the id. */
  readonly PhysicalResourceId: string;
  /** Execution of the renewal. `null` if none was started, because the certificate has not changed, or because of a rollback or a deletion. */
  readonly ExecutionArn: string | null;
  /** Time of the request, in RFC 3339. */
  readonly RequestedAt: string;
}

export interface RequestRenewalPorts {
  readonly stateMachines: Pick<StateMachines, 'start'>;
  readonly ledger: Pick<Ledger, 'certificate'>;
  readonly stacks: Stacks;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/** Longest name of an execution, in characters. */
const longestName = 80;

/**
 * Starts the renewal that a deployment waits for. The execution is named after CloudFormation's request, so it is safe to run twice.
 *
 * No renewal is started in three cases:
 * - The update changes only other things and the certificate is already delivered. A certificate that cannot be renewed then does not stop the
 *   deployment, which gets the existing ARN.
 * - The resource is deleted. The secret, the certificate and the delivery are kept after every deployment.
 * - A failed update is rolled back. A renewal that failed would leave the stack in UPDATE_ROLLBACK_FAILED, from which only the operator can recover
 *   it.
 */
export async function requestRenewal(
  { RequestType, RequestId, StackId, ResourceProperties, OldResourceProperties }: CertificateRequestEvent,
  { stateMachines, ledger, stacks, clock }: RequestRenewalPorts,
): Promise<RequestedRenewal> {
  const { StateMachineArn: stateMachine, Certificate: certificate, Region: region } = ResourceProperties;
  const begin = `${certificate}-${region}`.slice(0, longestName - RequestId.length - 1);
  const name = `${begin}-${RequestId}`;
  const requested = { PhysicalResourceId: `${certificate}/${region}`, RequestedAt: clock.now().toISOString() };
  if (RequestType === 'Delete') return { ...requested, ExecutionArn: null };
  if (RequestType === 'Update' && changesOnlyOthers(ResourceProperties, OldResourceProperties)) {
    const { deliveries } = await withPermissionRetries(() => ledger.certificate(certificate), clock);
    if (deliveries[region]) return { ...requested, ExecutionArn: null };
  }
  // Only the rollback of an update sends an `Update`. The rollback of a creation sends a `Delete`.
  if (RequestType === 'Update' && (await withPermissionRetries(() => stacks.rollsBack(StackId), clock)))
    return { ...requested, ExecutionArn: null };
  await withPermissionRetries(() => stateMachines.start(stateMachine, name, { certificate, deploy: true }), clock);
  return { ...requested, ExecutionArn: `${stateMachine.replace(':stateMachine:', ':execution:')}:${name}` };
}

/** Tells whether the update changes only other things than the certificate. If nothing changes at all, a failed deployment is repeated. */
function changesOnlyOthers(after: CertificateProperties, before: CertificateProperties | undefined): boolean {
  const known = new Set(before?.SpecHashes);
  const { Certificate, Region, SpecHashes, Version } = after;
  const sameSpec = SpecHashes.length === known.size && SpecHashes.every((hash) => known.has(hash));
  return before?.Certificate === Certificate && before.Region === Region && sameSpec && before.Version !== Version;
}
