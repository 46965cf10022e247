import { Choice, Condition, Map as MapState, Pass, ProvideItems } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { keepError } from '../error-output.ts';
import { caught, type Exit, merged } from '../exits.ts';
import { caUnavailable } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { run } from './account-variables.ts';

/**
 * Registers an account with every issuer. If a CA rejects a registration, the others still run. The execution then fails with the first
 * error, and names every issuer without an account. So a fallback without an account is noticed before it is needed.
 */
export function registrationPhase(scope: Construct, { order }: Record<'order', WorkflowFunction>) {
  const registerAccount = order
    .step(scope, 'Register account', { payload: { issuer: '{% $states.input %}' }, run, retry: [caUnavailable] })
    .addCatch(Pass.jsonata(scope, 'Registration failed'), {
      outputs: "{% $merge([$states.errorOutput, { 'issuer': $states.input.name }]) %}",
    });
  const registerAccounts = MapState.jsonata(scope, 'Register accounts', {
    items: ProvideItems.jsonata('{% $resolved.issuers %}'),
    // Renewals may run at the same time, and a new AWS account may run only ten functions at once.
    maxConcurrency: 2,
  }).itemProcessor(registerAccount);
  const registered = Pass.jsonata(scope, 'Registered', {
    // The output is a `RegistrationOutput`.
    outputs: { accounts: '{% $states.input %}', caa: '{% [$states.input.caa] %}' },
  });

  const allRegistered = Choice.jsonata(scope, 'All registered?').otherwise(registered);
  registerAccounts.next(allRegistered);
  const registrationFailed: Exit = {
    next: (state) =>
      allRegistered.when(Condition.jsonata('{% $count($states.input[$exists(Error)]) > 0 %}'), state, {
        assign: {
          errorOutput: '{% ($states.input[$exists(Error)])[0] %}',
          withoutAccount: "{% [$states.input[$exists(Error)].{ 'issuer': issuer, 'error': Error }] %}",
        },
      }),
  };
  return {
    start: registerAccounts,
    done: registered,
    failed: merged(caught([registerAccounts], keepError), registrationFailed),
  };
}
