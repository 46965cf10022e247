import type { RenewalInfos } from '../../lambdas/domain/ports/renewal-info.ts';

type Answer = Awaited<ReturnType<RenewalInfos['fetch']>>;

/** A CA without ARI, until it is told what to say of a certificate. */
export class FakeRenewalInfos implements RenewalInfos {
  readonly #answers = new Map<string, Answer>();

  tell(certificateId: string, answer: Answer): void {
    this.#answers.set(certificateId, answer);
  }

  /** A window; Retry-After six hours, as Let's Encrypt's. */
  suggest(certificateId: string, start: string, end: string, explanationUrl: string | null = null): void {
    this.tell(certificateId, { start: new Date(start), end: new Date(end), explanationUrl, retryAfter: 21_600 });
  }

  async fetch(_issuer: Parameters<RenewalInfos['fetch']>[0], certificateId: string): Promise<Answer> {
    return this.#answers.get(certificateId) ?? 'unsupported';
  }
}
