import { acmeDirectory } from '../../infra/config/issuers.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Returns the configuration with the local CA in place of every issuer, and without fallback issuers. An issuer without challenges stays
 * one, because its names need no hosted zone in the configuration.
 */
export function withLocalIssuers(config: unknown): unknown {
  if (!isObject(config)) return config;
  const { issuer, fallbackIssuers: _, certificates, ...fields } = config;
  return {
    ...fields,
    issuer: localIssuer(issuer),
    ...(certificates !== undefined && {
      certificates: Array.isArray(certificates) ? certificates.map(withLocalIssuer) : certificates,
    }),
  };
}

function withLocalIssuer(certificate: unknown): unknown {
  if (!isObject(certificate)) return certificate;
  const { issuer, fallbackIssuers: _, ...fields } = certificate;
  return { ...fields, ...(issuer !== undefined && { issuer: localIssuer(issuer) }) };
}

/** The URL only has to differ between the two kinds, because the demo inserts the directory of the running CA later. */
function localIssuer(issuer: unknown) {
  const noChallenges = isObject(issuer) && Array.isArray(issuer.challenges) && issuer.challenges.length === 0;
  const kind = noChallenges ? 'none' : 'dns-01';
  return acmeDirectory({
    directoryUrl: `https://local-ca.invalid/${kind}`,
    name: `local-${kind}`,
    challenges: noChallenges ? [] : ['dns-01'],
  });
}
