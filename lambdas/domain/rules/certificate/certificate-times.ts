import type { X509Certificate } from 'node:crypto';

/**
 * Tells whether the start and the end of validity are times. OpenSSL reads a certificate with any text in their place. Node.js 24 then has dates with
 * whatever was in its memory (`validToDate`), and texts that say so (`validTo`).
 */
export const hasTimes = ({ validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>): boolean =>
  ![validFrom, validTo].some((text) => Number.isNaN(Date.parse(text)));
