import type { LeftoverValue, RecordedAccount, TxtValue } from '../certificate-facts.ts';
import type { CertificateSpec, HostedZone, ZoneRole } from '../config.ts';
import type { Run } from './step-event.ts';

export interface CheckZonesInput extends Run {
  readonly spec: CertificateSpec;
  /** Configured zones that a name or a CNAME of the certificate may be in. */
  readonly challengeZones: readonly HostedZone[];
  /** The account at the issuer. `null` before the first order there. */
  readonly account: RecordedAccount | null;
}

/** The TXT record at which control of one identifier is proven. */
export interface ChallengeRecord {
  readonly identifier: string;
  readonly hostedZoneId: string;
  readonly role?: ZoneRole;
  /** Name of the TXT record: `_acme-challenge.<name>` or the target of its CNAME. */
  readonly name: string;
}

export interface CheckZonesOutput {
  readonly challengeRecords: readonly ChallengeRecord[];
  /** Name servers by the id of the hosted zone. *Check propagation* queries them, so they are read once for each renewal. */
  readonly zoneServers: Readonly<Record<string, readonly string[]>>;
  /** Sentences about checks that could not be made and about faults that do not matter yet. */
  readonly warnings: readonly string[];
}

export interface PresentChallengesInput extends Run {
  readonly records: readonly TxtValue[];
}

/** A change of Route 53 that is not INSYNC yet. Its `ChangeInfo.Id` is polled and the change is never submitted again. */
export interface PendingChange {
  readonly hostedZoneId: string;
  /** Role of the zone. Absent for zones of the own account. */
  readonly role?: ZoneRole;
  readonly id: string;
}

export interface PresentChallengesOutput {
  readonly changes: readonly PendingChange[];
  /** Seconds until the first check. */
  readonly wait: number;
}

export interface CheckPropagationInput extends Run {
  readonly records: readonly TxtValue[];
  readonly changes: readonly PendingChange[];
  /** Name servers of the zones of the records, from *Check zones*. */
  readonly zoneServers: CheckZonesOutput['zoneServers'];
  /** Seconds since *Present challenges*. */
  readonly waited: number;
}

export interface CheckPropagationOutput {
  readonly propagated: boolean;
  /** Seconds until the next check. 0 if propagated. */
  readonly wait: number;
  /** Name server and record, or `INSYNC`. Empty if propagated. */
  readonly waitingFor: string;
}

export interface CleanUpChallengesInput extends Run {
  readonly records: readonly TxtValue[];
}

export interface CleanUpChallengesOutput {
  /** Values that are no longer in Route 53, also if another process removed them. */
  readonly removed: readonly TxtValue[];
  /** Values that could not be removed, 25 at most. */
  readonly failed: readonly LeftoverValue[];
}
