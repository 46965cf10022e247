import { PerennialError } from './perennial-error.ts';

/** An AWS service throttled the call or did not reply. The call is retried and never counted as a failure. No action is needed. */
export class ThrottledError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'ThrottledError';
}

/** IAM, a resource policy or KMS denied `action` on `resource`. The operator allows the action. */
export class AccessDeniedError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'AccessDeniedError';
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

/** A fleet run could not check at least one batch of certificates. The next run checks them. */
export class FleetCheckError extends PerennialError {
  override readonly name = 'FleetCheckError';
}
