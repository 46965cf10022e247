import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stepFormat } from '../lambdas/domain/contract/steps.ts';
import { type Calls, config, type Fleet, item, startCa, startDynamoDb } from './fleet-stand-ins.ts';

// Measures the steps of the fleet workflow: `node bench/fleet.ts [numbers of certificates]`, 5,000 and 100,000 by default. The bundle of the function
// runs in a process of its own. Servers in this process take the place of DynamoDB and the CA. They answer after the times in `fleet-stand-ins.ts`.

/** vCPUs of a function by its memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const megabytesOfOneCpu = 1769;

const root = join(import.meta.dirname, '..');

/** The process of the function. It runs the steps as the workflow does, twice, and prints what they needed. */
const caller = `
const { handler } = await import(process.argv[1]);
const run = { certificate: '', execution: 'arn:aws:states:eu-west-1:111122223333:execution:fleet:' + process.argv[2], attempt: 1, order: null };
const rows = [];
const log = console.log; console.log = console.info = console.warn = () => {};
process.stdout.write = ((write) => (text, ...rest) => String(text).startsWith('RESULT') ? write(text, ...rest) : true)(process.stdout.write.bind(process.stdout));
const measured = async (what, call) => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const output = await call();
  const used = process.cpuUsage(cpu);
  rows.push({ what, seconds: (performance.now() - start) / 1000, cpu: (used.user + used.system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024, bytes: JSON.stringify(output).length, output });
  return output;
};
for (const state of ['cold', 'warm']) {
  let at = { after: null, failures: {} };
  const since = new Date().toISOString();
  let total = 0;
  await measured('refresh, ' + state, async () => {
    do {
      at = await handler({ format: '${stepFormat}', step: 'refreshRenewalInformation', run, input: { after: at.after, since, failures: at.failures } });
      total += at.asked;
    } while (at.after !== null);
    return { ...at, asked: total };
  });
  await measured('select, ' + state, () => handler({ format: '${stepFormat}', step: 'selectDueCertificates', run, input: { continues: run.execution, started: [] } }));
}
process.stdout.write('RESULT' + JSON.stringify(rows.map(({ output: { due, ...output }, ...row }) => ({ ...row, output: { ...output, ...(due && { due: due.length }) } }))));
`;

interface Measured {
  readonly what: string;
  readonly seconds: number;
  readonly cpu: number;
  readonly megabytes: number;
  readonly bytes: number;
  readonly output: Readonly<Record<string, unknown>>;
}

async function measure(count: number, fleet: Fleet) {
  const calls: Calls = { scans: 0, writes: 0, ca: 0 };
  const ca = await startCa(calls);
  const directoryUrl = `${ca.url}/directory`;
  const dynamodb = await startDynamoDb(count, calls, (index) => item(index, fleet, directoryUrl));
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  try {
    copyFileSync(join(root, 'dist', 'functions', 'fleet', 'index.mjs'), join(folder, 'index.mjs'));
    const json = JSON.stringify(config(count, directoryUrl));
    writeFileSync(join(folder, 'config.json'), json);
    writeFileSync(join(folder, 'roots.json'), JSON.stringify({ [directoryUrl]: ca.rootCertificate }));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', caller, join(folder, 'index.mjs'), randomBytes(4).toString('hex')],
      {
        maxBuffer: 1e8,
        env: {
          ...{
            AWS_REGION: 'eu-west-1',
            AWS_ACCESS_KEY_ID: 'x',
            AWS_SECRET_ACCESS_KEY: 'x',
            AWS_ENDPOINT_URL: dynamodb.url,
          },
          ...{
            LEDGER_TABLE: 'ledger',
            POWERTOOLS_METRICS_NAMESPACE: 'Perennial',
            POWERTOOLS_SERVICE_NAME: 'fleet',
            METRICS_DEPLOYMENT: 'Perennial',
          },
        },
      },
    );
    const measured = JSON.parse(stdout.slice(stdout.indexOf('RESULT') + 6)) as Measured[];
    return { calls, measured, config: json.length };
  } finally {
    rmSync(folder, { recursive: true });
    ca.close();
    dynamodb.close();
  }
}

/** Time of a step in a function with this memory, whose CPU is a share of that of this machine. */
const inFunction = ({ seconds, cpu }: Measured, megabytes: number) =>
  Math.max(0, seconds - cpu) + (cpu * megabytesOfOneCpu) / Math.min(megabytes, megabytesOfOneCpu);

const fleets: readonly Fleet[] = ['nothing due', 'every answer stale', 'all due'];
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [5000, 100_000];
for (const count of counts) {
  for (const fleet of fleets) {
    const { calls, measured, config: bytes } = await measure(count, fleet);
    console.log(
      `\n${count} certificates, ${fleet}: config.json ${(bytes / 1e6).toFixed(1)} MB, both rounds ${calls.scans} pages, ${calls.writes} writes, ${calls.ca} requests to the CA`,
    );
    console.table(
      measured.map((step) => ({
        step: step.what,
        seconds: step.seconds.toFixed(1),
        'CPU seconds': step.cpu.toFixed(1),
        'peak MB': Math.round(step.megabytes),
        'output bytes': step.bytes,
        ...Object.fromEntries([512, 1024, 1769].map((size) => [`s at ${size} MB`, inFunction(step, size).toFixed(1)])),
        result: JSON.stringify(step.output),
      })),
    );
  }
}
