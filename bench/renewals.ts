import type { CertificateConfig } from '../infra/config/certificate-config.ts';
import { localPace } from '../local/config-file.ts';
import type { LocalEnvironmentOptions } from '../local/environment.ts';
import type { EndedExecution } from '../local/executions.ts';
import { type Deployed, deployed } from '../test/e2e/deployed.ts';

// Measures how long renewals take on this machine: `node bench/renewals.ts [largest number of certificates]`, 100 by default.

/**
 * The local environment for measurements. Wait states wait in real time and IAM is enforced. Pebble rejects no nonces, reuses no
 * authorizations, does not sleep before a validation, and sends no Retry-After.
 */
const quiet: LocalEnvironmentOptions = {
  // The pace limits the functions that run at once, and not this number. More than 24 run at once until all of them are warm.
  lambdaConcurrency: 64,
  pebble: {
    chaos: { rejectNonces: false, reuseAuthorizations: false, validationSleep: false },
    retryAfter: 0,
  },
};
const zones = ['example.com'];
const largest = Number(process.argv[2] ?? 100);
const runs = 5;

const ofOneName = (count: number): CertificateConfig[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `c${index}`,
    identifiers: [`c${index}.example.com`],
    acm: ['us-east-1'],
    ignoreIssueCap: true, // Each run forces more renewals than the two in 24 h that the issue cap allows.
  }));
const ten: CertificateConfig = {
  name: 'ten',
  identifiers: Array.from({ length: 10 }, (_, index) => `n${index}.example.com`),
  acm: ['us-east-1'],
  ignoreIssueCap: true,
};

interface Row {
  readonly what: string;
  readonly seconds: string;
  readonly 'CA requests': number;
  readonly 'AWS calls': number;
  readonly transitions: number;
  /** Largest number of functions of renewals that ran at once. */
  readonly functions: number;
  /** Tasks that Lambda or another service throttled, so that the workflow tried them again. */
  readonly throttled: number;
}
const rows: Row[] = [];

/** Counts the requests to the CA and the AWS calls of functions and workflows during `run`. */
async function counted<Result>({ local }: Deployed, run: () => Promise<Result>) {
  const [requests, calls] = [local.pebble.requests().length, (await local.aws.apiCalls()).length];
  const result = await run();
  return {
    result,
    'CA requests': local.pebble.requests(requests).length,
    'AWS calls': (await local.aws.apiCalls(calls)).filter(({ caller }) => caller.includes(':assumed-role/')).length,
  };
}

/** Adds a row with the median, minimum and maximum time of five forced renewals, one after the other. */
async function warm(what: string, service: Deployed, certificate: string): Promise<void> {
  const seen = [];
  for (let run = 0; run < runs; run += 1) {
    seen.push(await counted(service, () => service.renew({ certificate, force: true })));
  }
  const seconds = seen.map(({ result }) => succeeded(result).seconds).toSorted((a, b) => a - b);
  const last = seen[runs - 1];
  if (!last) throw new Error(`No renewal of ${certificate} was measured.`);
  rows.push({
    what,
    seconds: `${seconds[2]?.toFixed(1)} (${seconds[0]?.toFixed(1)} to ${seconds.at(-1)?.toFixed(1)} in ${runs} runs)`,
    'CA requests': last['CA requests'],
    'AWS calls': last['AWS calls'],
    transitions: last.result.transitions,
    functions: mostAtOnce(seen.map(({ result }) => result)),
    throttled: seen.reduce((sum, { result }) => sum + throttledTasks(result), 0),
  });
}

/** Adds a row for the renewals that a deployment starts, with cold functions and a new account. The time is from the first start to the last end. */
async function wave(what: string, certificates: CertificateConfig[], then?: (service: Deployed) => Promise<void>) {
  const service = await deployed({ zones, certificates }, quiet);
  try {
    const ended = await Promise.all((await service.idle()).map((arn) => service.ended(arn)));
    const times = ended.flatMap((run) => succeeded(run).history.map(({ timestamp }) => timestamp?.getTime() ?? 0));
    rows.push({
      what,
      seconds: ((Math.max(...times) - Math.min(...times)) / 1000).toFixed(1),
      'CA requests': service.local.pebble.requests().length,
      'AWS calls': (await service.local.aws.apiCalls()).filter(({ caller }) => caller.includes(':assumed-role/'))
        .length,
      transitions: ended.reduce((sum, { transitions }) => sum + transitions, 0),
      functions: mostAtOnce(ended),
      throttled: ended.reduce((sum, run) => sum + throttledTasks(run), 0),
    });
    await then?.(service);
  } finally {
    await service.stop();
  }
}

const throttlingErrors = new Set(['Lambda.TooManyRequestsException', 'ThrottledError']);

/** Returns the number of tasks that were throttled. Each of them is a failed task in the history. */
const throttledTasks = ({ history }: EndedExecution): number =>
  history.filter((event) =>
    throttlingErrors.has((event.taskFailedEventDetails ?? event.lambdaFunctionFailedEventDetails)?.error ?? ''),
  ).length;

/** Returns the largest number of functions that ran at once. Each runs from the event that schedules its task to the next event of the execution. */
function mostAtOnce(executions: readonly EndedExecution[]): number {
  const changes = executions.flatMap(({ history }) =>
    history.flatMap(({ taskScheduledEventDetails: task, timestamp }, index) =>
      task?.resourceType === 'lambda'
        ? [
            { at: timestamp?.getTime() ?? 0, change: 1 },
            { at: history[index + 1]?.timestamp?.getTime() ?? 0, change: -1 },
          ]
        : [],
    ),
  );
  let [running, most] = [0, 0];
  for (const { change } of changes.toSorted((a, b) => a.at - b.at || a.change - b.change)) {
    running += change;
    most = Math.max(most, running);
  }
  return most;
}

function succeeded(run: EndedExecution): EndedExecution {
  if (run.status !== 'SUCCEEDED')
    throw new Error(`Execution ${run.arn} ended ${run.status}. ${run.error}: ${run.cause}`);
  return run;
}

await wave('one certificate of one name, cold, new account', [...ofOneName(1)], async (service) => {
  await warm('one certificate of one name, warm', service, 'c0');
  await service.redeploy({ zones, certificates: [...ofOneName(1), ten] });
  await warm('one certificate of ten names, warm', service, 'ten');
});
await wave('10 certificates of one name, cold', ofOneName(10));
if (largest > 10) await wave(`${largest} certificates of one name, cold`, ofOneName(largest));
console.table(rows);
console.log(`
A fleet run starts ${localPace} renewals a second here (pace), and Lambda throttles from ${quiet.lambdaConcurrency} functions at once. On AWS the default pace is 0.7, and Lambda throttles from 1,000.
Seconds of a wave: from the first event of the first renewal to the last event of the last one, with cold functions and a new account.
Seconds of warm renewals: from the start to the end of the execution, as the median, minimum and maximum of ${runs} runs.
Requests and calls: those of functions and workflows. For a wave they include the fleet run and the registration.
Functions: the largest number that ran at once, by the histories of the renewals.
Throttled: tasks that a workflow had to repeat, because Lambda or another service had rejected them.`);
