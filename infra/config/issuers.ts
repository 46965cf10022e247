import {
  type AcmAcmeEndpointOptions,
  type AcmeDirectoryOptions,
  type AcmeIssuer,
  type ExternalAccountOptions,
  type GoogleTrustServicesOptions,
  type LetsEncryptOptions,
  type MadeBy,
  madeBy,
  optionsOf,
  type SslComOptions,
} from './issuer-options.ts';

/** The values that most public CAs have in common. A reply may take 45 seconds, because some CAs sign within the request, which takes 30 seconds. */
const publicCa = {
  termsOfService: null,
  contact: [],
  challenges: ['dns-01'],
  staging: false,
  newOrders: null,
  trustedRoots: [],
  externalAccountBinding: null,
  preferredChain: null,
  replyTimeout: 45,
  keyRollover: true,
} as const;

const letsEncryptTerms = 'https://letsencrypt.org/repository/';

/**
 * Let's Encrypt, which browsers trust.
 *
 * Its limit is 300 new orders per account in 3 hours, and renewals that ARI announces are exempt
 * (https://letsencrypt.org/docs/rate-limits). Fleet runs start at most 250 orders at once and one more every 36 seconds, which leaves 50 for
 * retries and manual orders. Let's Encrypt has stored no contact addresses since June 2025
 * (https://letsencrypt.org/2025/06/26/expiration-notification-service-has-ended).
 *
 * @example
 * const issuer = letsEncrypt({ termsOfServiceAgreed: true });
 */
export function letsEncrypt(options: LetsEncryptOptions): AcmeIssuer {
  return issuer('letsEncrypt', options, {
    name: 'letsencrypt',
    directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
    termsOfService: letsEncryptTerms,
    // 300 in 3 h is one every 36 s.
    newOrders: { burst: 250, everySeconds: 36 },
  });
}

/**
 * The staging environment of Let's Encrypt, for the first deployment. It uses the same protocol, and its limit is 1,500 new orders per account
 * in 3 hours. No client trusts its certificates (https://letsencrypt.org/docs/staging-environment).
 *
 * @example
 * const issuer = letsEncryptStaging({ termsOfServiceAgreed: true });
 */
export function letsEncryptStaging(options: LetsEncryptOptions): AcmeIssuer {
  return issuer('letsEncryptStaging', options, {
    name: 'letsencrypt-staging',
    directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    termsOfService: letsEncryptTerms,
    // 1,500 in 3 h is one every 7.2 s.
    newOrders: { burst: 1450, everySeconds: 8 },
    staging: true,
  });
}

/**
 * Google Trust Services, which browsers trust. `gcloud publicca external-account-keys create` creates credentials that register one account
 * within seven days (https://cloud.google.com/certificate-manager/docs/public-ca-tutorial). Store them in the secret, then deploy. An account
 * needs a contact.
 *
 * @example
 * const issuer = googleTrustServices({
 *   termsOfServiceAgreed: true,
 *   contact: ['tls@example.com'],
 *   externalAccountBinding: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/google-AbCdEf',
 * });
 */
export function googleTrustServices(options: GoogleTrustServicesOptions): AcmeIssuer {
  return boundIssuer('googleTrustServices', options, {
    name: 'google-trust-services',
    directoryUrl: 'https://dv.acme-v02.api.pki.goog/directory',
    contactRequired: true,
  });
}

/** The staging environment of Google Trust Services. It needs its own credentials, and no client trusts its certificates. */
export function googleTrustServicesStaging(options: GoogleTrustServicesOptions): AcmeIssuer {
  return boundIssuer('googleTrustServicesStaging', options, {
    name: 'google-trust-services-staging',
    directoryUrl: 'https://dv.acme-v02.test-api.pki.goog/directory',
    contactRequired: true,
    staging: true,
  });
}

/**
 * ZeroSSL, which browsers trust. Its credentials register only one account (documentation of MDExternalAccountBinding in Apache's mod_md).
 * It does not support changing the key of an account.
 *
 * @example
 * const issuer = zeroSsl({
 *   termsOfServiceAgreed: true,
 *   externalAccountBinding: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/zerossl-AbCdEf',
 * });
 */
export function zeroSsl(options: ExternalAccountOptions): AcmeIssuer {
  return boundIssuer('zeroSsl', options, {
    name: 'zerossl',
    directoryUrl: 'https://acme.zerossl.com/v2/DV90',
    keyRollover: false,
  });
}

/**
 * SSL.com, which browsers trust. Changing the key of an account fails there (issue 483 of Posh-ACME).
 *
 * @example
 * const issuer = sslCom({
 *   termsOfServiceAgreed: true,
 *   externalAccountBinding: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/sslcom-AbCdEf',
 * });
 */
export function sslCom(options: SslComOptions): AcmeIssuer {
  const { keys = 'ECC', ...others } = options ?? {};
  const suffix = String(keys).toLowerCase();
  const values = {
    name: `sslcom-${suffix}`,
    directoryUrl: `https://acme.ssl.com/sslcom-dv-${suffix}`,
    keyRollover: false,
  };
  return boundIssuer('sslCom', options, values, others);
}

/**
 * Actalis, which browsers trust. Your contract decides which names an account may order, and whether wildcards are included
 * (https://guide.actalis.com/ssl-certificate/acme.aspx).
 *
 * @example
 * const issuer = actalis({
 *   termsOfServiceAgreed: true,
 *   externalAccountBinding: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/actalis-AbCdEf',
 * });
 */
export function actalis(options: ExternalAccountOptions): AcmeIssuer {
  return boundIssuer('actalis', options, {
    name: 'actalis',
    directoryUrl: 'https://acme-api.actalis.com/acme/directory',
  });
}

/**
 * The ACME endpoint of AWS Certificate Manager. Its authorizations are already valid for the domains that the endpoint was set up with, so
 * no hosted zone is needed. Issuance takes minutes, and AWS asks clients to wait for ten
 * (https://docs.aws.amazon.com/acm/latest/userguide/acm-acme-issuance.html). One reply may take two minutes. The terms are those of your
 * contract with AWS.
 *
 * @example
 * const issuer = acmAcmeEndpoint({
 *   directoryUrl: 'https://acm-acme-enroll.eu-central-1.api.aws/EXAMPLE/directory',
 *   externalAccountBinding: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/acm-AbCdEf',
 * });
 */
export function acmAcmeEndpoint(options: AcmAcmeEndpointOptions): AcmeIssuer {
  return issuer('acmAcmeEndpoint', options, {
    name: options?.name ?? 'acm',
    termsOfServiceAgreed: true,
    externalAccountBinding: options?.externalAccountBinding,
    challenges: [],
    // AWS does not document key changes.
    keyRollover: false,
    replyTimeout: 130,
  });
}

/**
 * Any other ACME server (RFC 8555): a CA that gives you your own directory, such as Sectigo, DigiCert or GlobalSign, a private CA, or
 * Pebble.
 *
 * @example
 * const issuer = acmeDirectory({ directoryUrl: 'https://ca.internal.example/acme/directory', trustedRoots: [readFileSync('root.pem', 'utf8')] });
 */
export function acmeDirectory(options: AcmeDirectoryOptions): AcmeIssuer {
  const url = options?.directoryUrl;
  const values = { name: options?.name ?? (URL.canParse(url) ? new URL(url).host : 'acme') };
  return issuer('acmeDirectory', options, values, { termsOfServiceAgreed: false, ...options });
}

/** Returns the issuer of a CA with external account binding. Its directory names the terms, whose URL may change. */
function boundIssuer(
  issuerFunction: MadeBy['issuerFunction'],
  options: ExternalAccountOptions,
  values: Partial<AcmeIssuer> & Pick<AcmeIssuer, 'directoryUrl'>,
  given: object = options,
): AcmeIssuer {
  const { externalAccountBinding } = options ?? {};
  return issuer(
    issuerFunction,
    options,
    { termsOfService: values.directoryUrl, externalAccountBinding, ...values },
    given,
  );
}

/**
 * Returns the issuer with the options that this function takes, and with fixed values. In JavaScript required options may be missing, and
 * unknown ones may be given. The check reports both.
 */
function issuer(
  issuerFunction: MadeBy['issuerFunction'],
  options: object,
  values: { readonly [K in keyof AcmeIssuer]?: AcmeIssuer[K] | undefined },
  given: object = options,
): AcmeIssuer {
  const taken = Object.entries(given ?? {}).filter(
    ([name, value]) => Object.hasOwn(optionsOf[issuerFunction], name) && value !== undefined,
  );
  const made: MadeBy = { issuerFunction, options };
  return { ...publicCa, ...Object.fromEntries(taken), ...values, [madeBy]: made } as AcmeIssuer;
}
