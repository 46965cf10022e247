import { PerennialError } from './perennial-error.ts';

/**
 * No hosted zone of the configuration can hold the record: none fits the identifier, or `zone` does not exist, is
 * private or has another name. The operator corrects `hostedZones`.
 */
export class ZoneNotFoundError extends PerennialError {
  override readonly name = 'ZoneNotFoundError';
}

/**
 * The parent domain delegates to other `servers` than those of the hosted zone, so the CA would not see the record.
 * The operator corrects the NS records.
 */
export class ZoneNotDelegatedError extends PerennialError<'zone' | 'servers'> {
  override readonly name = 'ZoneNotDelegatedError';
}

/**
 * The CNAME at `_acme-challenge.<name>` is a loop, is too long, or leads where this stack may not write. The operator
 * creates `record` or removes the CNAME.
 */
export class ChallengeAliasError extends PerennialError<'identifier'> {
  override readonly name = 'ChallengeAliasError';
}

/** A required DNS answer could not be obtained. It is retried; the operator checks the name servers if it repeats. */
export class DnsLookupError extends PerennialError {
  override readonly name = 'DnsLookupError';
}

/**
 * STS refuses the role of a hosted zone in another account. The operator checks its trust policy and the external id.
 */
export class RoleNotAssumedError extends PerennialError<'role'> {
  override readonly name = 'RoleNotAssumedError';
}

/** Other writers changed the same record sets for as long as a compare-and-swap may try. It is retried. Needs no action. */
export class RecordSetContentionError extends PerennialError<'zone' | 'recordNames'> {
  override readonly name = 'RecordSetContentionError';
}

/**
 * Route 53 rejects the change of a record set every time: a CNAME, a routing policy or a full set is there. The
 * operator removes it.
 */
export class RecordSetRefusedError extends PerennialError<'zone' | 'recordNames'> {
  override readonly name = 'RecordSetRefusedError';
}

/**
 * A TXT value did not reach every authoritative server in five minutes, so the challenge was not answered. Retried;
 * the operator checks the name servers if it repeats.
 */
export class PropagationTimeoutError extends PerennialError<'zone'> {
  override readonly name = 'PropagationTimeoutError';
}
