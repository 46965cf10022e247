import { requestedCertificate } from '../requested-certificate.ts';

/** Variables of the accounts workflow at its start. */
export const variables = {
  request: '{% $states.input %}',
  // For the log.
  certificate: requestedCertificate,
  resolved: '{% null %}',
  revocation: '{% null %}',
  rollover: '{% null %}',
  errorOutput: '{% null %}',
  failure: '{% null %}',
  // The issuers where the registration failed, each with the name of the error.
  withoutAccount: [],
};

/** What each step gets about the execution. */
export const run = { certificate: '{% $certificate %}', attempt: 1, order: '{% null %}' };

/** Expression that tells whether a variable was set. */
export const isObject = (variable: string): string => `$type($${variable}) = 'object'`;

/** Payload of a step that works on one account. */
export const atIssuer = { issuer: '{% $resolved.issuer %}' };
