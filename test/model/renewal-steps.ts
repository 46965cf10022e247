import type { CertificateSpec } from '../../lambdas/domain/contract/config.ts';
import { execution, otherExecution, specWith } from '../fakes/specs.ts';
import { renew, workflow, world } from '../infra/workflows/renewal/renewal-in-memory.ts';
import type { Retrier, State, StateMachine } from '../infra/workflows/state-machine.ts';
import { type ServiceCall, serviceCalls } from './service-calls.ts';

/** A task of the renewal workflow with the calls that its function makes. */
export interface ModelTask {
  readonly state: string;
  /** The function that runs it. `null` for a call that Step Functions makes itself. */
  readonly function: string | null;
  /** The retry policies of the deployed workflow. */
  readonly retry: readonly Retrier[];
  readonly calls: readonly ServiceCall[];
}

/** A step of a renewal: a task, or a wait in seconds. */
export type ModelStep = ModelTask | { readonly seconds: number };

/** The certificate that all certificates of the model are like: one name, one region of ACM. */
const modelSpec: CertificateSpec = specWith({ identifiers: ['example.com'], regions: ['us-east-1'] });

/**
 * Returns the steps of the first issuance and of a renewal. They are recorded from a run of the deployed workflow with the real steps in memory, so the
 * model has the same states, retry policies and calls as the code.
 */
export async function renewalSteps(): Promise<{
  readonly first: readonly ModelStep[];
  readonly again: readonly ModelStep[];
}> {
  const memory = world();
  const record = async (arn: string, force: boolean): Promise<readonly ModelStep[]> => {
    const seen: ({ readonly state: string; readonly from: number } | { readonly seconds: number })[] = [];
    const ended = await renew(memory, {
      input: { certificate: modelSpec.name, force },
      arn,
      configured: modelSpec,
      observe: (step) => seen.push('state' in step ? { ...step, from: memory.calls.made.length } : step),
    });
    if (ended.status !== 'SUCCEEDED') throw new Error(`The renewal of the model failed: ${ended.cause}`);
    const names = memory.calls.names();
    return seen.map((step, index) => {
      if ('seconds' in step) return step;
      const next = seen.slice(index + 1).find((later) => 'from' in later);
      return taskOf(step.state, names.slice(step.from, next && 'from' in next ? next.from : names.length));
    });
  };
  const first = await record(execution, false);
  memory.executions.end(execution, 'SUCCEEDED');
  return { first, again: await record(otherExecution, true) };
}

function taskOf(name: string, portCalls: readonly string[]): ModelTask {
  const { Retry: retry = [], Arguments = {} } = stateOf(workflow, name) ?? {};
  const isLambda = 'FunctionName' in Arguments;
  return {
    state: name,
    function: isLambda ? JSON.stringify(Arguments.FunctionName) : null,
    retry,
    calls: isLambda ? portCalls.flatMap(serviceCalls) : [],
  };
}

/** Returns a state of the machine, or of a branch in it. */
export function stateOf({ States: states }: Pick<StateMachine, 'States'>, name: string): State | undefined {
  const inner = Object.values(states).flatMap(({ Branches = [], ItemProcessor }) => [
    ...Branches,
    ...(ItemProcessor ? [ItemProcessor] : []),
  ]);
  return states[name] ?? inner.map((machine) => stateOf(machine, name)).find((state) => state !== undefined);
}
