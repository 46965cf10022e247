/**
 * Tells whether this stack stored a version of a certificate's secret. The ids of its versions are SHA-256 in hex, because they are made from the URL
 * of the order. The console, the CLI and the SDKs give each version of another writer a UUID.
 */
export const isVersionOfStack = (versionId: string): boolean => /^[0-9a-f]{64}$/.test(versionId);
