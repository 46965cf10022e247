import { clientSettings } from '../../lambdas/adapters/aws/client.ts';
import type { ProblemDocument } from '../../lambdas/domain/contract/errors.ts';
import { Bucket, type Quota, type QuotaName, quotas } from './quotas.ts';
import type { ServiceCall } from './service-calls.ts';
import type { VirtualTime } from './virtual-time.ts';

/** An error with the name that Step Functions matches. */
export class ModelError extends Error {
  readonly problem: ProblemDocument | null;
  constructor(name: string, problem: ProblemDocument | null = null) {
    super(name);
    this.name = name;
    this.problem = problem;
  }
}

/** Base of the SDK's wait after a throttled call, in ms. It doubles and has full jitter (`StandardRetryStrategy` of the SDK). */
const throttledWait = 1000;

/** Time until a service rejects a call, in ms. */
const rejection = 50;

/** Quotas that the renewals of an account cannot use up. */
const roomy: ReadonlySet<QuotaName> = new Set(['dynamodb:read', 'dynamodb:write', 'secretsmanager:read']);

/** The services of AWS and the CA, each with its quota. */
export class Services {
  readonly #time: VirtualTime;
  readonly #buckets: Readonly<Record<QuotaName, Bucket>>;
  /** Calls by quota, and how many of them were throttled. */
  readonly made = new Map<QuotaName, number>();
  readonly throttled = new Map<QuotaName, number>();

  constructor(time: VirtualTime) {
    this.#time = time;
    const made = Object.entries<Quota>(quotas).map(([name, quota]) => [name, new Bucket(quota)]);
    this.#buckets = Object.fromEntries(made) as Record<QuotaName, Bucket>;
  }

  /**
   * Makes calls one after the other, and repeats each as the SDK does with the settings of the adapters. Calls of services with roomy quotas are made
   * together, and their times are added.
   */
  async calls(calls: readonly ServiceCall[]): Promise<void> {
    let takes = 0;
    for (const call of calls) {
      if (call.quota !== null && !roomy.has(call.quota)) {
        if (takes > 0) await this.#time.sleep(takes);
        takes = 0;
      }
      await this.#accepted(call.quota);
      takes += call.takes;
    }
    if (takes > 0) await this.#time.sleep(takes);
  }

  async #accepted(quota: QuotaName | null): Promise<void> {
    for (let attempt = 1; quota !== null && !this.#accepts(quota); attempt += 1) {
      await this.#time.sleep(rejection);
      if (quota.startsWith('acme:')) throw new ModelError('CaUnavailableError');
      if (attempt === clientSettings.maxAttempts) throw new ModelError('ThrottledError');
      await this.#time.sleep(this.#time.random() * throttledWait * 2 ** (attempt - 1));
    }
  }

  #accepts(quota: QuotaName): boolean {
    count(this.made, quota);
    if (this.#buckets[quota].take(this.#time.now())) return true;
    count(this.throttled, quota);
    return false;
  }
}

function count(counts: Map<QuotaName, number>, name: QuotaName): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Times in ms. They are typical for functions of 512 MB and are not published. */
const coldStart = 900;
const invocation = 20;
/** Lambda keeps an idle environment for some minutes. */
const keptWarm = 5 * 60_000;

/** The functions of an account that may run only so many at once. */
export class Functions {
  readonly #time: VirtualTime;
  readonly #limit: number;
  /** When each idle environment became idle, by function. The latest is used first. */
  readonly #idle = new Map<string, number[]>();
  running = 0;
  /** The largest number that ran at once. */
  most = 0;
  /** Invocations that Lambda rejected, because too many functions ran. */
  rejected = 0;
  /** Time that AWS bills, in ms. */
  billed = 0;

  constructor(time: VirtualTime, limit: number) {
    this.#time = time;
    this.#limit = limit;
  }

  async invoke<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    if (this.running >= this.#limit) {
      this.rejected += 1;
      await this.#time.sleep(rejection);
      throw new ModelError('Lambda.TooManyRequestsException');
    }
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    const from = this.#time.now().getTime();
    try {
      const idle = this.#idle.get(name)?.pop();
      await this.#time.sleep(idle !== undefined && from - idle < keptWarm ? invocation : coldStart);
      return await work();
    } finally {
      const end = this.#time.now().getTime();
      this.running -= 1;
      this.billed += end - from;
      this.#idle.set(name, [...(this.#idle.get(name) ?? []), end]);
    }
  }
}
