import { PerennialError } from './perennial-error.ts';

/** An AWS service throttles, or gives no answer at all. It is retried and never counted. Needs no action. */
export class ThrottledError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'ThrottledError';
}

/** IAM, a resource policy or KMS denies `action` on `resource`. The operator allows it. */
export class AccessDeniedError extends PerennialError<'action' | 'resource'> {
  override readonly name = 'AccessDeniedError';
}

/** A function reached its timeout; Step Functions calls it `States.Timeout`. It is retried. Needs no action. */
export class StepTimedOutError extends PerennialError {
  override readonly name = 'StepTimedOutError';
}

/** An error that no class names: a defect of this project, or a reply of AWS that it does not know. It is retried. */
export class UnexpectedError extends PerennialError {
  override readonly name = 'UnexpectedError';
}

/** A fleet run could not check at least one batch of certificates. The next run checks them. */
export class FleetCheckError extends PerennialError {
  override readonly name = 'FleetCheckError';
}
