import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { Drills } from '../../lambdas/domain/ports/drills.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import { commandFor, readReport, type Target } from '../deployment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodeOf, type Finding, findingOf, printFindings, ToFix } from '../finding.ts';
import { wrappedQuestion } from '../layout.ts';
import type { Terminal } from '../terminal.ts';

export interface DrillOptions extends Target {
  readonly json?: boolean | undefined;
}

export interface DrillPorts {
  readonly deployments: Deployments;
  readonly drills: Drills;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Asks a question. Returns `null` if there is no terminal to ask. */
  readonly askConfirmation: (question: string) => Promise<boolean | null>;
}

/** The alarm that is set. It goes off rarely, so its state is rarely needed at that moment. */
const preferred = 'Perennial changed outside';

const test = 'This is a test by "cdk-perennial drill". Nothing has failed.';

/**
 * Sends one test message by each path on which operators are notified, and asks whether it arrived. One path is an alarm of CloudWatch, and the other
 * is an event that the function `notification` makes a message from.
 */
export async function drill(options: DrillOptions, ports: DrillPorts): Promise<ExitCode> {
  const { deployments, drills, terminal, clock } = ports;
  const { deployment } = await readReport(deployments, options, []);
  const { topic } = deployment;
  const findings: Finding[] = [
    await findingOf('alarm', async () => {
      const alarms = topic === null ? [] : await drills.alarmsOf(topic);
      const alarm = alarms.find((name) => name.startsWith(preferred)) ?? alarms[0];
      if (alarm === undefined)
        throw new ToFix('No alarm notifies an operator. Add notifications: { email: [...] } to the configuration.');
      await drills.setAlarm(alarm, test);
      return arrived(`A message about the alarm "${alarm}" was sent.`, options, ports);
    }),
    await findingOf('event', async () => {
      if (topic === null)
        throw new ToFix('Events notify no operator. Add notifications: { email: [...] } to the configuration.');
      // The notification of a request is sent at once and never repeated. The name is that of no execution, so it belongs to no other message.
      const execution = `${deployment.stateMachines.accounts.replace(':stateMachine:', ':execution:')}:drill-${clock.now().getTime()}`;
      await drills.publish({ request: { action: 'drill' }, execution, error: 'Drill', cause: test, issuers: [] });
      return arrived('A message about a failed request "drill" is sent within two minutes.', options, ports);
    }),
  ];
  if (options.json) terminal.print(JSON.stringify(findings, null, 2));
  return options.json ? exitCodeOf(findings) : printFindings(findings, terminal);
}

async function arrived(sent: string, target: Target, { askConfirmation, terminal }: DrillPorts): Promise<string> {
  const answer = await askConfirmation(wrappedQuestion(`${sent} Did it arrive?`, terminal.columns));
  if (answer === null) return `${sent} See that it arrives.`;
  if (answer) return 'the message arrived';
  throw new ToFix(
    `The message did not arrive. Run ${commandFor('doctor', target)}, which shows subscriptions that are not confirmed. A topic with a customer key may lack permissions for CloudWatch.`,
  );
}
