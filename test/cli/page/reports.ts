import type { Report } from '../../../cli/deployment.ts';
import type { CertificateReport } from '../../../lambdas/domain/contract/report.ts';
import { factsWith } from '../../fakes/specs.ts';

const at = '2026-03-01T12:00:00Z';
const day = 86_400_000;
const after = (days: number) => new Date(Date.parse(at) + days * day).toISOString();

/** Returns the report of a certificate of which 60 of 90 days are left. */
export function certificateWith(fields: Partial<CertificateReport> = {}): CertificateReport {
  return {
    name: 'www',
    identifiers: ['example.com', '*.example.com'],
    keyType: 'P-256',
    issuer: 'letsencrypt',
    profile: null,
    current: factsWith({ notBefore: after(-30), notAfter: after(60), scts: 2 }),
    action: 'none',
    reason: 'nothing to do',
    renewalTime: after(30),
    window: { start: after(29), end: after(31), explanationUrl: null },
    failure: null,
    notBefore: null,
    pausedUntil: null,
    lease: null,
    deliveries: [{ region: 'us-east-1', arn: 'arn:aws:acm:us-east-1:111122223333:certificate/1', current: true }],
    served: [],
    leftovers: 0,
    attention: [],
    ...fields,
  };
}

/** Fields of a certificate of a private CA that is valid for three years. */
const multiYear: Partial<CertificateReport> = {
  issuer: 'private-ca',
  current: factsWith({ notBefore: after(-365), notAfter: after(730) }),
  renewalTime: after(365),
  window: null,
};

/** Fields of a certificate that cannot be renewed. The cause names its domain, as the causes of CAA and DNS do. */
const failing = (domain: string): Partial<CertificateReport> => ({
  current: factsWith({ notBefore: after(-84), notAfter: after(6), scts: 2 }),
  renewalTime: after(-24),
  window: null,
  action: 'issue',
  failure: {
    error: 'CaaError',
    cause: `letsencrypt may not issue for ${domain}. The CAA set at ${domain} allows other CAs only. Add a record: ${domain}. CAA 0 issue "letsencrypt.org".`,
    count: 4,
    last: after(-0.2),
  },
  notBefore: after(0.5),
  attention: [
    `Less than 20 % of its lifetime is left. It expires at ${after(6).replace('.000Z', 'Z')}.`,
    'An operator has to fix CaaError.',
  ],
});

const execution = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-1';

/**
 * Returns a report with this number of certificates of all kinds. Every seventh fails, and every fifth lives for 160 hours. Of the first ten, one was
 * never issued, one is being renewed, one is paused and one is valid for three years.
 */
export function reportOf(count: number): Report {
  const certificates = Array.from({ length: count }, (_, index): CertificateReport => {
    const begin = -((index * 7) % 55);
    const short = index % 5 === 3;
    const [notBefore, notAfter, renewal] = short ? [-2, 4.6, 1.3] : [begin, begin + 90, begin + 60];
    const name = ['www', 'api', 'mail', 'shop', 'login'][index % 5] + (index < 5 ? '' : `-${Math.floor(index / 5)}`);
    return certificateWith({
      name,
      identifiers: [`${name}.example.com`],
      current: factsWith({
        notBefore: after(notBefore),
        notAfter: after(notAfter),
        ...(index % 2 === 0 && { scts: 2 }),
      }),
      renewalTime: after(renewal),
      window: index % 2 === 0 ? { start: after(renewal - 0.7), end: after(renewal + 0.7), explanationUrl: null } : null,
      ...(index % 7 === 2 && failing(`${name}.example.com`)),
      ...(index === 4 && { current: null, renewalTime: null, window: null, action: 'issue', reason: 'never issued' }),
      ...(index === 5 && { lease: { execution, since: after(-0.01) }, renewalTime: after(-0.02), action: 'issue' }),
      ...(index === 6 && { pausedUntil: after(10) }),
      ...(index === 7 && multiYear),
    });
  });
  return {
    deployment: {
      version: '1.2.3',
      stack: 'Certificates',
      region: 'eu-west-1',
      account: '111122223333',
      stateMachines: { fleet: 'arn:fleet', renewal: 'arn:renewal', accounts: 'arn:accounts' },
      roles: {
        challenge: 'arn:aws:iam::111122223333:role/challenge',
        certificate: 'arn:aws:iam::111122223333:role/certificate',
        delivery: 'arn:aws:iam::111122223333:role/delivery',
      },
      logGroups: [],
      secretPrefix: 'certificates/',
      hostedZones: [],
      rootServers: [],
      topic: null,
      checkInterval: 21_600,
      issuers: [],
    },
    at,
    lastSelection: at,
    certificates,
    unknown: [],
  };
}
