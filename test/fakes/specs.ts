import { createHash } from 'node:crypto';
import type { CertificateFacts, Delivery } from '../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec, DeployedConfig, Issuer } from '../../lambdas/domain/contract/config.ts';
import type { Run } from '../../lambdas/domain/contract/steps.ts';
import type { StagedOrder } from '../../lambdas/domain/ports/certificate-secrets.ts';
import { setHash, specHash } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';

// Plain data that most tests start from. A test names only the fields that matter to it.

export const execution = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-1';
export const otherExecution = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-2';

export const run: Run = { certificate: 'www', execution, attempt: 1 };

export const issuer: Issuer = {
  name: 'test-ca',
  directoryUrl: 'https://ca.test/directory',
  termsOfServiceAgreed: true,
  contact: [],
  challenges: ['dns-01'],
  staging: false,
  newOrders: null,
  externalAccountBinding: null,
  preferredChain: null,
  replyTimeout: 45,
  keyRollover: true,
};

/** Returns the order with this URL at the CA `issuer`, for which a key is staged. */
export const atCa = (url: string): StagedOrder => ({ url, directoryUrl: issuer.directoryUrl });

export function specWith(fields: Partial<Omit<CertificateSpec, 'specHash' | 'setHash'>> = {}): CertificateSpec {
  const spec = {
    name: 'www',
    identifiers: ['example.com'],
    keyType: 'P-256' as const,
    profile: null,
    issuer,
    issuers: [fields.issuer ?? issuer],
    reuseKey: false,
    ignoreIssueCap: false,
    regions: [],
    hostedZones: [{ id: 'Z1', name: 'example.com' }],
    ...fields,
  };
  const configured = spec.issuers[0] ?? spec.issuer;
  return {
    ...spec,
    specHash: specHash({ ...spec, directoryUrl: configured.directoryUrl }),
    setHash: setHash(spec.issuer.directoryUrl, spec.identifiers),
  };
}

/** Returns the deployed configuration of these certificates. */
export function configOf(...specs: readonly CertificateSpec[]): DeployedConfig {
  const issuers = [...new Set(specs.flatMap((spec) => spec.issuers))];
  const zones = specs.flatMap((spec) => spec.hostedZones);
  return {
    format: 1,
    checkInterval: 21_600,
    issuers,
    hostedZones: zones,
    certificates: specs.map(({ name, identifiers, keyType, profile, regions, hostedZones, ...spec }) => ({
      name,
      identifiers,
      keyType,
      profile,
      reuseKey: spec.reuseKey,
      ignoreIssueCap: spec.ignoreIssueCap,
      regions,
      issuers: spec.issuers.map((issuer) => issuers.indexOf(issuer)),
      hostedZones: hostedZones.map((zone) => zones.indexOf(zone)),
      ...(spec.endpoints && { endpoints: spec.endpoints }),
      ...(spec.readers && { readers: spec.readers }),
      ...(spec.replicas && { replicas: spec.replicas }),
    })),
  };
}

/** Returns the facts of a certificate that is valid for 90 days from 1 January 2026. It is due on 2 March 2026 at 00:00 UTC. */
export function factsWith(fields: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    secretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/www-AbCdEf',
    versionId: 'version-1',
    identifiers: ['example.com'],
    serialNumber: '0a01',
    certificateId: null,
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-04-01T00:00:00Z',
    issuer: 'CN=Test Intermediate',
    keyType: 'P-256',
    directoryUrl: issuer.directoryUrl,
    profile: null,
    orderUrl: 'https://ca.test/order/0',
    execution: 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-0',
    ...fields,
  };
}

/** Returns the id of a version that this stack has stored. */
export const storedVersion = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Returns a delivery of `factsWith()`. */
export function deliveryWith(fields: Partial<Delivery> = {}): Delivery {
  const { versionId, keyType, notBefore, notAfter } = factsWith();
  const arn = 'arn:aws:acm:us-east-1:111122223333:certificate/1';
  return { arn, versionId, keyType, notBefore, notAfter, ...fields };
}
