import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import type { Stacks } from '../domain/ports/stacks.ts';
import type { StateMachines } from '../domain/ports/state-machines.ts';
import { patiently } from './permission-waits.ts';

/** Properties of the resource. */
interface AskedCertificate {
  readonly StateMachineArn: string;
  readonly Certificate: string;
  readonly Region: string;
  /** Of what is configured, one for each of its issuers (`specHash` in `rules/certificate/certificate-spec.ts`): what CloudFormation notices a change by. */
  readonly SpecHashes: readonly string[];
  /** Of the whole configuration and of the code of the functions. */
  readonly Version: string;
}

/** What CDK's Provider framework hands on of CloudFormation's request. */
export interface CertificateRequestEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly ResourceProperties: AskedCertificate;
  /** Of an `Update`. */
  readonly OldResourceProperties?: AskedCertificate;
}

/** What *Await delivery* finds in its event besides. */
export interface RequestedRenewal {
  /** The same for ever: a new one would make CloudFormation delete the old. */
  readonly PhysicalResourceId: string;
  /** `null`: none was started, since nothing about the certificate changes, or a deployment that failed is taken back. */
  readonly ExecutionArn: string | null;
  /** RFC 3339. */
  readonly RequestedAt: string;
}

export interface RequestRenewalPorts {
  readonly stateMachines: Pick<StateMachines, 'start'>;
  readonly ledger: Pick<Ledger, 'certificate'>;
  readonly stacks: Stacks;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/** Of a state machine's execution. */
const longestName = 80;

/**
 * Starts the renewal that a deployment waits for. The execution is named after CloudFormation's request, so an event that comes twice
 * starts one. None is started where the deployment changes other things: it only hears which ARN there is by now, if there is one, and a
 * certificate that cannot be renewed stops no other. Nothing is done when the resource goes: secret, certificate and delivery outlive
 * every deployment. Nor when a failed deployment is taken back: what it had ordered is not ordered back while CloudFormation waits, since
 * a rollback that fails too leaves a stack that only a person gets going again.
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
  if (RequestType === 'Update' && changesOthers(ResourceProperties, OldResourceProperties)) {
    const { deliveries } = await patiently(() => ledger.certificate(certificate), clock);
    if (deliveries[region]) return { ...requested, ExecutionArn: null };
  }
  // Only an update is taken back by an event of its kind.
  if (RequestType === 'Update' && (await patiently(() => stacks.rollsBack(StackId), clock)))
    return { ...requested, ExecutionArn: null };
  await patiently(() => stateMachines.start(stateMachine, name, { certificate, deploy: true }), clock);
  return { ...requested, ExecutionArn: `${stateMachine.replace(':stateMachine:', ':execution:')}:${name}` };
}

/** Nothing of the certificate and something else; where all is the same, a deployment that failed is tried again. */
function changesOthers(asked: AskedCertificate, before: AskedCertificate | undefined): boolean {
  const known = new Set(before?.SpecHashes);
  const { Certificate, Region, SpecHashes, Version } = asked;
  const sameSpec = SpecHashes.length === known.size && SpecHashes.every((hash) => known.has(hash));
  return before?.Certificate === Certificate && before.Region === Region && sameSpec && before.Version !== Version;
}
