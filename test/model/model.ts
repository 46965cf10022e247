import { letsEncrypt } from '../../infra/index.ts';
import type { CertificateSpec, DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import type { Executions } from '../../lambdas/domain/ports/executions.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { configOf, issuer, specWith } from '../fakes/specs.ts';
import { ModelCa } from './model-ca.ts';
import { type ModelWorld, type RenewalOutcome, recordOf, renewal } from './renewal-model.ts';
import { renewalSteps } from './renewal-steps.ts';
import { Functions, Services } from './service-model.ts';
import { VirtualTime } from './virtual-time.ts';

const { name, directoryUrl, newOrders } = letsEncrypt({ termsOfServiceAgreed: true });

const zone = { id: 'Z1', name: 'example.com' };

/** Let's Encrypt with the limit on new orders that the configuration has by default. */
const ca = { ...issuer, name, directoryUrl, newOrders };

export interface ModelOptions {
  readonly certificates: number;
  /** Functions that the account may run at once. */
  readonly concurrency: number;
}

/** A fleet of certificates of one name and one ACM region, in an AWS account in which nothing else runs. */
export class Model implements ModelWorld {
  readonly time = new VirtualTime('2027-03-01T00:00:00Z');
  readonly services = new Services(this.time);
  readonly ledger = new FakeLedger();
  readonly ca = new ModelCa(this.time, this.services);
  readonly renewalInfos = this.ca.renewalInfos;
  readonly functions: Functions;
  readonly config: DeployedConfig;
  readonly specs: readonly CertificateSpec[];
  readonly steps: ModelWorld['steps'];
  readonly #running = new Set<string>();
  readonly #started = new Set<string>();
  readonly #faults: unknown[] = [];
  readonly outcomes: RenewalOutcome[] = [];
  readonly executions: Executions = {
    status: async (arn) => (this.#running.has(arn) ? 'live' : 'ended'),
    describe: async () => null,
  };

  private constructor({ certificates, concurrency }: ModelOptions, steps: ModelWorld['steps']) {
    this.functions = new Functions(this.time, concurrency);
    this.steps = steps;
    this.specs = Array.from({ length: certificates }, (_, index) => {
      const certificate = `c${String(index).padStart(6, '0')}`;
      return specWith({
        name: certificate,
        identifiers: [`${certificate}.example.com`],
        regions: ['us-east-1'],
        hostedZones: [zone],
        issuer: ca,
      });
    });
    this.config = { ...configOf(...this.specs), hostedZones: [zone] };
  }

  static async create(options: ModelOptions): Promise<Model> {
    return new Model(options, await renewalSteps());
  }

  /** Gives each certificate an issued version of this age in ms. */
  issueAll(age: (index: number) => number): void {
    for (const [index, spec] of this.specs.entries()) {
      const current = this.ca.issue(spec, `arn:earlier:${spec.name}`, age(index));
      const { start, end } = this.ca.windowOf(current);
      const nextFetch = new Date(this.time.now().getTime() + 3_600_000).toISOString();
      const renewalInfo = { certificateId: current.certificateId ?? '', explanationUrl: null, nextFetch };
      this.ledger.put(spec.name, {
        ...recordOf(spec, current),
        renewalInfo: { ...renewalInfo, start: start.toISOString(), end: end.toISOString() },
      });
    }
  }

  /** Starts a renewal, which runs beside the caller. Returns `false` if an execution of this name was started before. */
  start(certificate: string, executionName: string): boolean {
    if (this.#started.has(executionName)) return false;
    this.#started.add(executionName);
    const arn = `arn:aws:states:eu-west-1:111122223333:execution:renewal:${executionName}`;
    this.#running.add(arn);
    renewal(certificate, arn, this)
      .then((outcome) => this.outcomes.push(outcome))
      .catch((error: unknown) => this.#faults.push(error))
      .finally(() => this.#running.delete(arn));
    return true;
  }

  /** Waits until no renewal runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await this.time.sleep(1000);
    // A fault of the model itself, not of a renewal.
    if (this.#faults.length > 0) throw this.#faults[0];
  }
}
