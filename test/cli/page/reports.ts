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

const failing: Partial<CertificateReport> = {
  current: factsWith({ notBefore: after(-84), notAfter: after(6), scts: 2 }),
  renewalTime: after(-24),
  window: null,
  failure: { error: 'CaaError', cause: 'The CAA record of example.com forbids this CA.', count: 4, last: after(-0.2) },
  notBefore: after(0.5),
  attention: ['Less than 20 % of its lifetime is left. It expires soon.', 'An operator has to fix CaaError.'],
};

/** Returns a report with this number of certificates of all kinds. Every seventh fails, and every fifth lives for 160 hours. */
export function reportOf(count: number): Report {
  const certificates = Array.from({ length: count }, (_, index): CertificateReport => {
    const begin = -((index * 7) % 55);
    const short = index % 5 === 3;
    const [notBefore, notAfter] = short ? [after(-2), after(4.6)] : [after(begin), after(begin + 90)];
    return certificateWith({
      name: ['www', 'api', 'mail', 'shop', 'login'][index % 5] + (index < 5 ? '' : `-${Math.floor(index / 5)}`),
      current: factsWith({ notBefore, notAfter, ...(index % 2 === 0 && { scts: 2 }) }),
      renewalTime: short ? after(1.3) : after(begin + 60),
      window: index % 2 === 0 ? { start: after(begin + 59), end: after(begin + 61), explanationUrl: null } : null,
      ...(index % 7 === 2 && failing),
      ...(index === 4 && { current: null, renewalTime: null, window: null, action: 'issue', reason: 'never issued' }),
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
    certificates,
    unknown: [],
  };
}
