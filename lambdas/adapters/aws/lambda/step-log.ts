import type { Logger } from '@aws-lambda-powertools/logger';
import type { StepLog } from '../../../domain/ports/runtime.ts';

/** Implements `StepLog` with a Powertools logger. The keys of the logger name the step and the certificate. */
export function stepLog(logger: Logger): StepLog {
  return {
    info: (message, details = {}) => logger.info(message, { ...details }),
    warn: (message, details = {}) => logger.warn(message, { ...details }),
    error: (message, details = {}) => logger.error(message, { ...details }),
  };
}
