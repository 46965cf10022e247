import { version } from '../../domain/contract/version.ts';

/** The User-Agent of each request to a CA. RFC 8555 §6.1. It has no URL, because the package is not published. */
export const userAgent = `cdk-perennial/${version} acme-client/5.4.0`;
