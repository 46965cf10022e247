/**
 * Every error by name, a file for each subject. Step Functions matches `ErrorEquals` against `error.name`, so each class sets its own name
 * as a literal: it survives minification, and a test checks the workflow's names against these classes.
 */
export * from './errors/acme-errors.ts';
export * from './errors/aws-errors.ts';
export * from './errors/certificate-errors.ts';
export * from './errors/configuration-errors.ts';
export * from './errors/dns-errors.ts';
export { type ErrorDetails, type ErrorFields, PerennialError, type ProblemDocument } from './errors/perennial-error.ts';
