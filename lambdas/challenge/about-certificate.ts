import { PerennialError } from '../domain/contract/errors.ts';

/** The error, which begins with the certificate unless it names it: what goes wrong at a zone does not know who waits for it. */
export function aboutCertificate(certificate: string, error: unknown): unknown {
  if (error instanceof PerennialError && !error.message.includes(`ertificate ${certificate}`)) {
    error.message = `Certificate ${certificate}: ${error.message}`;
  }
  return error;
}
