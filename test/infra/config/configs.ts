import { Lazy } from 'aws-cdk-lib';
import { acmeDirectory, letsEncryptStaging } from '../../../infra/config/issuers.ts';

export const issuer = letsEncryptStaging({ termsOfServiceAgreed: true });
export const hostedZones = [
  { id: 'Z0000000001', name: 'example.com' },
  { id: 'Z0000000002', name: 'example.net' },
];
export const www = { name: 'www', identifiers: ['www.example.com'] };
/** The smallest configuration with all that is required. */
export const base = { issuer, hostedZones, certificates: [www] };
/** Another staging directory. */
export const other = acmeDirectory({
  directoryUrl: 'https://ca.example/directory',
  staging: true,
  termsOfServiceAgreed: true,
});
export const binding = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:acme/zerossl-AbCdEf';
export const token = Lazy.string({ produce: () => 'known at deploy only' });

export const manyNames = (count: number) => Array.from({ length: count }, (_, index) => `n${index}.example.com`);
export const withCertificates = (...certificates: readonly unknown[]) => ({ ...base, certificates });
export const withWww = (change: object) => withCertificates({ ...www, ...change });
export const withIssuer = (change: object) => ({ ...base, issuer: { ...issuer, ...change } });
export const withZones = (...zones: readonly unknown[]) => ({ ...base, hostedZones: [...hostedZones, ...zones] });
