import type { RenewalInfos } from '../../lambdas/domain/ports/renewal-info.ts';

type Answer = Awaited<ReturnType<RenewalInfos['fetch']>>;

/** ARI answers by certificate id. A certificate without an answer is of a CA that does not support ARI. */
export class FakeRenewalInfos implements RenewalInfos {
  readonly #answers = new Map<string, Answer>();

  setAnswer(certificateId: string, answer: Answer): void {
    this.#answers.set(certificateId, answer);
  }

  /** Sets this window as the answer, with a Retry-After of six hours as Let's Encrypt sends it. */
  suggest(certificateId: string, start: string, end: string, explanationUrl: string | null = null): void {
    this.setAnswer(certificateId, { start: new Date(start), end: new Date(end), explanationUrl, retryAfter: 21_600 });
  }

  async fetch(_issuer: Parameters<RenewalInfos['fetch']>[0], certificateId: string): Promise<Answer> {
    return this.#answers.get(certificateId) ?? 'unsupported';
  }
}
