import type { X509Certificate } from 'node:crypto';

/**
 * Tells whether the start and the end of validity are times. OpenSSL reads a certificate with any text in their place. Node.js 24 then returns an
 * arbitrary date (`validToDate`), and a text that is not a date (`validTo`).
 */
export const hasTimes = ({ validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>): boolean =>
  ![validFrom, validTo].some((text) => Number.isNaN(Date.parse(text)));
