import { version } from '../../domain/contract/version.ts';

/** The User-Agent of each request to a CA. RFC 8555 §6.1. A CA finds the maintainers at its URL. */
export const userAgent = `cdk-perennial/${version} (+https://www.npmjs.com/package/cdk-perennial) acme-client/5.4.0`;
