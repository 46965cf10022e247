/** A token bucket of a service: calls at once, and calls a second after that. */
export interface Quota {
  readonly burst: number;
  readonly perSecond: number;
}

const same = (perSecond: number): Quota => ({ burst: perSecond, perSecond });

/**
 * The published quotas of AWS and Let's Encrypt. Where regions differ, the smallest value is used. A service whose burst is not published has none.
 *
 * - Route 53: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html
 * - ACM: https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
 * - Secrets Manager: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 * - Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 * - DynamoDB (on demand, one partition): https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
 * - Let's Encrypt: https://letsencrypt.org/docs/rate-limits/
 */
export const quotas = {
  route53: { burst: 50, perSecond: 10 },
  'acm:ImportCertificate': same(1),
  'acm:DescribeCertificate': same(10),
  'acm:ListCertificates': same(8),
  'acm:ListTagsForCertificate': same(10),
  'secretsmanager:read': same(10_000),
  'secretsmanager:write': same(50),
  'states:StartExecution': { burst: 500, perSecond: 25 },
  'states:StateTransition': { burst: 800, perSecond: 500 },
  'states:DescribeExecution': { burst: 250, perSecond: 10 },
  'dynamodb:read': same(3000),
  'dynamodb:write': same(1000),
  'acme:newOrder': { burst: 200, perSecond: 300 },
  'acme:request': { burst: 125, perSecond: 250 },
  'acme:renewalInfo': { burst: 100, perSecond: 1000 },
} as const satisfies Readonly<Record<string, Quota>>;

export type QuotaName = keyof typeof quotas;

/** New orders of an account that are not exempt: 300 in 3 hours. */
export const newOrders: Quota = { burst: 300, perSecond: 1 / 36 };

/**
 * Functions that an account may run at once, by default and in many new accounts.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const concurrency = { default: 1000, newAccount: 10 } as const;

/** A token bucket in virtual time. */
export class Bucket {
  readonly #quota: Quota;
  #tokens: number;
  #at = 0;

  constructor(quota: Quota) {
    this.#quota = quota;
    this.#tokens = quota.burst;
  }

  /** Takes a token. Returns `false` if there is none. */
  take(now: Date): boolean {
    const { burst, perSecond } = this.#quota;
    const elapsed = this.#at === 0 ? 0 : (now.getTime() - this.#at) / 1000;
    this.#tokens = Math.min(burst, this.#tokens + elapsed * perSecond);
    this.#at = now.getTime();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
