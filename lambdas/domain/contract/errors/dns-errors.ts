import { PerennialError } from './perennial-error.ts';

/**
 * No configured hosted zone can contain the record. Either no hosted zone matches the identifier, or `zone` does not exist, is private or has
 * another name. The operator corrects `hostedZones`.
 */
export class ZoneNotFoundError extends PerennialError {
  override readonly name = 'ZoneNotFoundError';
}

/**
 * The domain of the record is delegated to `servers` that do not belong to the hosted zone, so the CA would not see the record. The operator
 * corrects the NS records or configures the other hosted zone.
 */
export class ZoneNotDelegatedError extends PerennialError<'zone' | 'servers'> {
  override readonly name = 'ZoneNotDelegatedError';
}

/**
 * The CNAME chain at `_acme-challenge.<name>` is a loop, is too long, or ends at a name that this stack may not change. The operator creates
 * `record` or removes the CNAME.
 */
export class ChallengeAliasError extends PerennialError<'identifier'> {
  override readonly name = 'ChallengeAliasError';
}

/** A required DNS query failed. The query is retried. If the error repeats, the operator checks the name servers. */
export class DnsLookupError extends PerennialError {
  override readonly name = 'DnsLookupError';
}

/** STS rejected the role for a hosted zone in another account. The operator checks its trust policy and the external id. */
export class RoleNotAssumedError extends PerennialError<'role'> {
  override readonly name = 'RoleNotAssumedError';
}

/** Other writers changed the same record sets during all compare-and-swap attempts. The step is retried. No action is needed. */
export class RecordSetContentionError extends PerennialError<'zone' | 'recordNames'> {
  override readonly name = 'RecordSetContentionError';
}

/**
 * Route 53 rejected the change of a record set, and would reject it again. The name has a CNAME, a routing policy or a full record set. The
 * operator removes that record set.
 */
export class RecordSetRefusedError extends PerennialError<'zone' | 'recordNames'> {
  override readonly name = 'RecordSetRefusedError';
}

/**
 * A TXT value did not reach every authoritative server in 15 minutes, so the challenge was not answered. The step is retried. If the error
 * repeats, the operator checks the name servers.
 */
export class PropagationTimeoutError extends PerennialError<'zone'> {
  override readonly name = 'PropagationTimeoutError';
}
