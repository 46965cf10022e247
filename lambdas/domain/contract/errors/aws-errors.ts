import { PerennialError } from './perennial-error.ts';

/** An AWS service throttled the call or did not reply. The call is retried and never counted as a failure. No action is needed. */
export class ThrottledError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'ThrottledError';
}

/** IAM, a resource policy or KMS denied `action` on `resource`. The operator allows the action. */
export class AccessDeniedError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'AccessDeniedError';
}

/**
 * AWS refused a call for a reason that a retry may not change: a quota, a missing resource, a conflict. `why` and the remedy say what to do. It is
 * retried once before the operator is notified.
 */
export class AwsRefusedError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'AwsRefusedError';
}

/** The AWS region is not enabled in the account, or has no endpoint of the service. The operator enables it or removes it from the configuration. */
export class RegionUnavailableError extends PerennialError<'region'> {
  override readonly name = 'RegionUnavailableError';
}

/** A function reached its timeout, which Step Functions reports as `States.Timeout`. The function is retried. No action is needed. */
export class StepTimedOutError extends PerennialError {
  override readonly name = 'StepTimedOutError';
}

/**
 * An error without a class of its own. The cause is a defect of this project or an unknown reply of AWS. The step is retried. If the error
 * repeats, the operator reports it to the project.
 */
export class UnexpectedError extends PerennialError {
  override readonly name = 'UnexpectedError';
}

/** A fleet run could not check all certificates, or could not start all due renewals. The next run tries again. */
export class FleetCheckError extends PerennialError {
  override readonly name = 'FleetCheckError';
}
