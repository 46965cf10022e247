import type { CertificateFacts } from '../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec, Issuer } from '../../lambdas/domain/contract/config.ts';
import type { LedgerCertificate } from '../../lambdas/domain/ports/ledger-certificate.ts';
import type { RenewalInfo, RenewalInfos } from '../../lambdas/domain/ports/renewal-info.ts';
import { factsWith } from '../fakes/specs.ts';
import { Bucket, newOrders } from './quotas.ts';
import { serviceCalls } from './service-calls.ts';
import { ModelError, type Services } from './service-model.ts';
import type { VirtualTime } from './virtual-time.ts';

const day = 86_400_000;
/** Certificates of Let's Encrypt by the profile `tlsserver`. */
const lifetime = 45 * day;

/**
 * Let's Encrypt as its rate limits and its renewal information show it. The window is at two thirds of the lifetime and lasts 2 % of it. That of a
 * revoked certificate lies an hour in the past. An answer of ARI is valid for 6 hours, with a jitter of 20 %.
 * https://letsencrypt.org/docs/rate-limits/ and Boulder's source
 */
export class ModelCa {
  readonly #time: VirtualTime;
  readonly #orders = new Bucket(newOrders);
  readonly #windows = new Map<string, { readonly start: Date; readonly end: Date }>();
  #serial = 0;
  /** Orders that were refused with `rateLimited`. */
  refused = 0;
  /** Time in ms for which the CA answers each order with HTTP 503 and a Retry-After of ten minutes, from the first order on. */
  outage = 0;
  /** Time in ms at which the outage ends. `null` before the first order. */
  outageEnds: number | null = null;
  /** Orders that were answered with HTTP 503. */
  unanswered = 0;
  readonly #revoked = new Set<string>();
  /** Time in ms at which a client first asked for the last revoked certificate. */
  lastDetection = 0;
  readonly renewalInfos: RenewalInfos;

  constructor(time: VirtualTime, services: Services) {
    this.#time = time;
    const calls = serviceCalls('renewalInfos.fetch');
    this.renewalInfos = {
      fetch: async (_issuer: Issuer, certificateId: string): Promise<RenewalInfo> => {
        await services.calls(calls);
        if (this.#revoked.delete(certificateId)) this.lastDetection = time.now().getTime();
        const window = this.#windows.get(certificateId);
        if (!window) throw new Error(`The CA of the model did not issue ${certificateId}.`);
        return { ...window, explanationUrl: null, retryAfter: Math.round(21_600 * (0.8 + 0.4 * time.random())) };
      },
    };
  }

  /** Issues a certificate that is valid from an hour before now. `age` in ms makes it older. */
  issue(spec: CertificateSpec, execution: string, age = 0): CertificateFacts {
    this.#serial += 1;
    const notBefore = this.#time.now().getTime() - age - 3_600_000;
    const certificateId = `aki.${this.#serial}`;
    const middle = notBefore + (2 / 3) * lifetime;
    this.#windows.set(certificateId, {
      start: new Date(middle - lifetime / 100),
      end: new Date(middle + lifetime / 100),
    });
    return factsWith({
      secretArn: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/${spec.name}-AbCdEf`,
      versionId: `version-${this.#serial}`,
      identifiers: spec.identifiers,
      serialNumber: this.#serial.toString(16).padStart(36, '0'),
      certificateId,
      notBefore: new Date(notBefore).toISOString(),
      notAfter: new Date(notBefore + lifetime).toISOString(),
      directoryUrl: spec.issuer.directoryUrl,
      orderUrl: `https://acme-v02.api.letsencrypt.org/acme/order/1/${this.#serial}`,
      execution,
    });
  }

  /** Moves the window into the past, as for a revoked certificate. */
  revoke({ certificateId }: CertificateFacts): void {
    if (certificateId === null) return;
    const now = this.#time.now().getTime();
    this.#windows.set(certificateId, { start: new Date(now - 3_600_000), end: new Date(now - 1_800_000) });
    this.#revoked.add(certificateId);
  }

  /** Returns the window of a certificate. */
  windowOf({ certificateId }: Pick<CertificateFacts, 'certificateId'>) {
    const window = this.#windows.get(certificateId ?? '');
    if (!window) throw new Error(`The CA of the model did not issue ${certificateId}.`);
    return window;
  }

  /** Counts an order. Renewals of the same names and renewals in their window are exempt. */
  order(spec: CertificateSpec, { current }: LedgerCertificate): void {
    const now = this.#time.now().getTime();
    this.outageEnds ??= now + this.outage;
    if (now < this.outageEnds) {
      this.unanswered += 1;
      throw new ModelError('CaBusyError', { type: 'about:blank', status: 503, retryAfter: 600 });
    }
    if (current && current.identifiers.join() === spec.identifiers.join()) return;
    if (this.#orders.take(this.#time.now())) return;
    this.refused += 1;
    throw new ModelError('RateLimitedError', {
      type: 'urn:ietf:params:acme:error:rateLimited',
      retryAfter: 36,
    });
  }
}
