import { Logger } from '@aws-lambda-powertools/logger';
import { printable } from '../../../domain/contract/printable-text.ts';
import type { StepLog } from '../../../domain/ports/runtime.ts';

/** Longest text of a log line in characters. A log event of CloudWatch has at most 1 MB, and texts of a CA are already shorter. */
const longestText = 20_000;

/** Creates a logger whose lines have printable characters only, because they may quote a CA, a DNS server or the input of an execution. */
export const createLogger = (): Logger =>
  new Logger({ jsonReplacerFn: (_, value) => (typeof value === 'string' ? printable(value, longestText) : value) });

/** Implements `StepLog` with a Powertools logger. The keys of the logger name the step and the certificate. */
export function stepLog(logger: Logger): StepLog {
  return {
    info: (message, details = {}) => logger.info(message, { ...details }),
    warn: (message, details = {}) => logger.warn(message, { ...details }),
    error: (message, details = {}) => logger.error(message, { ...details }),
  };
}
