import type { FleetLedger, LedgerPage } from '../../lambdas/domain/ports/fleet-ledger.ts';
import type { LedgerCertificate } from '../../lambdas/domain/ports/ledger-certificate.ts';
import { compareWithWhatIsThere } from '../../lambdas/fleet/compare-with-what-is-there.ts';
import { handOverFleetLease } from '../../lambdas/fleet/hand-over-fleet-lease.ts';
import { refreshRenewalInformation } from '../../lambdas/fleet/refresh-renewal-information.ts';
import { releaseFleetLease } from '../../lambdas/fleet/release-fleet-lease.ts';
import { selectDueCertificates } from '../../lambdas/fleet/select-due-certificates.ts';
import { takeFleetLease } from '../../lambdas/fleet/take-fleet-lease.ts';
import { FakeFleetLedger } from '../fakes/fleet-ledger.ts';
import { smallConfig, synthesize } from '../infra/synthesized.ts';
import { definition, type Ended, run, type StateMachine, TaskError } from '../infra/workflows/state-machine.ts';
import type { Model } from './model.ts';
import { secretOf } from './renewal-model.ts';
import { type ServiceCall, serviceCalls } from './service-calls.ts';
import { ModelError } from './service-model.ts';

const steps: Readonly<Record<string, (input: never, ports: never) => Promise<unknown>>> = {
  takeFleetLease,
  refreshRenewalInformation,
  selectDueCertificates,
  compareWithWhatIsThere,
  handOverFleetLease,
  releaseFleetLease,
};

const stateMachine = 'arn:aws:states:eu-west-1:111122223333:execution:fleet';

/** Time in ms in which a function of the fleet reads a page of 1 MB from the ledger and parses it. */
const pageTime = 150;

/** Bytes of a page of DynamoDB. */
const pageBytes = 1_000_000;

/** Time in ms for which the function of the fleet computes for one certificate, in 1,024 MB (`bench/fleet.ts`). */
const computing = 0.14;

/** The fleet workflow as it is deployed, with its real steps, in the time of the model. */
export class FleetModel {
  readonly #model: Model;
  readonly #workflow: StateMachine;
  readonly #ledger: FleetLedger;
  /** Time in ms for which AWS bills each step of the fleet. */
  readonly billed = new Map<string, number>();
  /** Pages that were read from the ledger. */
  pages = 0;
  transitions = 0;
  #names: readonly string[] = [];

  constructor(model: Model, pace: number) {
    this.#model = model;
    this.#workflow = definition('-fleet', synthesize({ ...smallConfig, pace }));
    const ledger = new FakeFleetLedger(model.ledger);
    this.#ledger = Object.assign(ledger, { page: (after: string | null) => this.#page(after) });
  }

  /** Runs the fleet workflow once, and the executions that continue it. */
  async run(name: string, input: object = {}): Promise<Ended> {
    const { time } = this.#model;
    const arn = `${stateMachine}:${name}`;
    let next: Promise<Ended> | null = null;
    const tasks = {
      'Start renewal': async ({ Name, Input }: Record<string, unknown>) => {
        await this.#startExecution();
        if (!this.#model.start((Input as { certificate: string }).certificate, String(Name)))
          throw new TaskError('StepFunctions.ExecutionAlreadyExistsException', '');
        return {};
      },
      'Start next execution': async ({ Name, Input }: Record<string, unknown>) => {
        next = this.run(String(Name), Input as object);
        return {};
      },
    };
    const invoked = (state: string) => [state, (args: Record<string, unknown>) => this.#invoke(args)] as const;
    const names = Object.keys(this.#workflow.States).filter((state) => this.#workflow.States[state]?.Type === 'Task');
    const ended = await run(this.#workflow, {
      input,
      tasks: { ...Object.fromEntries(names.map(invoked)), ...tasks },
      execution: arn,
      now: () => time.now(),
      onWait: (seconds) => time.sleep(1000 * seconds),
      retries: true,
    });
    this.transitions += ended.entered.length;
    return next ?? ended;
  }

  /** Invokes the function of the fleet, as a task of the workflow does. */
  async #invoke({ Payload }: Record<string, unknown>): Promise<unknown> {
    const { step, run: who, input } = Payload as { step: string; run: object; input: object };
    const { time: clock, functions, renewalInfos, executions, config } = this.#model;
    const base = { config, clock, renewalInfos, executions, log: quiet, metrics, fleetLedger: this.#ledger };
    const ports = { ...base, ...comparedPorts(this.#model) };
    const before = clock.now().getTime();
    try {
      const output = await functions.invoke('fleet', async () =>
        steps[step]?.({ ...who, ...input } as never, ports as never),
      );
      return { Payload: JSON.parse(JSON.stringify(output)) as unknown };
    } catch (error) {
      if (error instanceof ModelError) throw new TaskError(error.name, '');
      throw error;
    } finally {
      this.billed.set(step, (this.billed.get(step) ?? 0) + clock.now().getTime() - before);
    }
  }

  async #page(after: string | null): Promise<LedgerPage> {
    const { ledger, time } = this.#model;
    if (after === null) this.#names = ledger.names();
    const first = this.#names[0];
    const size = first === undefined ? 1 : Math.floor(pageBytes / itemBytes(first, ledger.get(first)));
    const start = after === null ? 0 : Number(after);
    const entries = this.#names.slice(start, start + size).map((name, index) => {
      return { name, record: ledger.get(name), position: String(start + index + 1) };
    });
    this.pages += 1;
    await time.sleep(pageTime + entries.length * computing);
    return { entries, next: start + size < this.#names.length ? String(start + size) : null };
  }

  async #startExecution(): Promise<void> {
    try {
      await this.#model.services.calls([startExecution]);
    } catch (error) {
      throw error instanceof ModelError ? new TaskError('States.TaskFailed', error.name) : error;
    }
  }
}

/** Returns the ports of the comparison. Every secret and every import is as the ledger knows it. */
function comparedPorts({ ledger, services, specs }: Model) {
  const certificates = async (names: readonly string[]) => {
    await services.calls(names.map(() => ({ quota: 'dynamodb:read', takes: 0 })));
    await services.calls([{ quota: 'dynamodb:read', takes: 30 }]);
    return ledger.certificates(names);
  };
  const describe = async (certificate: string) => {
    await services.calls(serviceCalls('secrets.describe'));
    return secretOf(ledger.get(certificate));
  };
  const list = async (region: string) => {
    const pages = Math.ceil(specs.length / 1000);
    await services.calls(Array.from({ length: pages }, () => serviceCalls('acm.similar')).flat());
    const deliveries = specs.flatMap(({ name }) => ledger.get(name).deliveries[region] ?? []);
    return new Map(deliveries.map((delivery) => [delivery.arn, delivery]));
  };
  const recordComparison = ledger.recordComparison.bind(ledger);
  return { ledger: { certificates, recordComparison }, secrets: { describe }, acm: { list }, secretTags: () => ({}) };
}

const startExecution: ServiceCall = { quota: 'states:StartExecution', takes: 30 };

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const metrics = { publish: () => undefined };

/** Bytes of the items of one certificate: the item itself as JSON, and that of its identifier set, which a Scan reads too. */
const itemBytes = (name: string, record: LedgerCertificate): number => JSON.stringify({ name, ...record }).length + 300;
