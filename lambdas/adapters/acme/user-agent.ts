/** The build sets it from package.json. */
declare const PERENNIAL_VERSION: string | undefined;

const version = typeof PERENNIAL_VERSION === 'string' ? PERENNIAL_VERSION : 'unbuilt';

/** The User-Agent of each request to a CA. RFC 8555 §6.1 */
export const userAgent = `cdk-perennial/${version} acme-client/5.4.0`;
