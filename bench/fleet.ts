import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toAttribute } from '../lambdas/adapters/aws/dynamodb/attribute-values.ts';
import { stepFormat } from '../lambdas/domain/contract/steps.ts';
import { makeListenerCertificate } from '../local/listener-certificate.ts';

// Measures the steps of the fleet workflow: `node bench/fleet.ts [numbers of certificates]`, 5,000 and 100,000 by default. The bundle of the
// function runs in a process of its own. Servers in this process take the place of DynamoDB and the CA. They answer after the times below.

/** Time of a Scan of one page and of a reply of the CA, in ms. */
const latency = { scan: 25, write: 5, ca: 50 } as const;
/** Certificates in a page of a Scan, which has 1 MB: 1.3 KB of a certificate and 0.3 KB of its set of names. */
const pageSize = 620;
/** vCPUs of a function by its memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const megabytesOfOneCpu = 1769;

type Fleet = 'nothing due' | 'every answer stale' | 'all due';

const root = join(import.meta.dirname, '..');
const now = Date.now();
const day = 86_400_000;
const time = (days: number) => new Date(now + days * day).toISOString();
const id = (index: number) => createHash('sha256').update(String(index)).digest('base64url');

/** Returns the item of a certificate as DynamoDB returns it for the projection of the fleet function. */
function item(index: number, fleet: Fleet, directoryUrl: string): object {
  const identifiers = [`c${index}.example.com`, `www.c${index}.example.com`];
  const due = fleet === 'all due';
  const certificateId = `${id(index).slice(0, 27)}.${id(index).slice(0, 24)}`;
  const current = {
    ...{
      secretArn: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/c${index}-AbCdEf`,
      versionId: id(index),
    },
    ...{
      identifiers,
      serialNumber: id(index).slice(0, 36),
      certificateId,
      issuer: "CN=E7,O=Let's Encrypt,C=US",
      keyType: 'P-256',
    },
    ...{ notBefore: time(due ? -60 : -5), notAfter: time(due ? 10 + (index % 10) : 85), directoryUrl, profile: null },
    ...{
      orderUrl: `${directoryUrl}/order/${index}`,
      execution: `arn:aws:states:eu-west-1:111122223333:execution:Perennial-renewal:c${index}`,
    },
  };
  const nextFetch = time(fleet === 'every answer stale' ? -1 : 1);
  const [start, end] = due ? [null, null] : [time(50), time(52)];
  const renewalInfo = { certificateId, start, end, explanationUrl: null, nextFetch };
  const delivery = {
    arn: `arn:aws:acm:us-east-1:111122223333:certificate/${id(index)}`,
    versionId: id(index),
    keyType: 'P-256',
  };
  return {
    id: { S: `certificate#c${index}` },
    current: toAttribute(current),
    deliveries: toAttribute({ 'us-east-1': delivery }),
    announcedVersion: { S: id(index) },
    renewalInfo: toAttribute(renewalInfo),
  };
}

const config = (count: number, directoryUrl: string) => ({
  format: 1,
  checkInterval: 21_600,
  issuers: [
    {
      ...{
        name: 'ca',
        directoryUrl,
        termsOfServiceAgreed: true,
        contact: [],
        challenges: ['dns-01'],
        staging: false,
        newOrders: null,
      },
      ...{ externalAccountBinding: null, preferredChain: null, replyTimeout: 45, keyRollover: true },
    },
  ],
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: Array.from({ length: count }, (_, index) => ({
    ...{
      name: `c${index}`,
      identifiers: [`c${index}.example.com`, `www.c${index}.example.com`],
      keyType: 'P-256',
      profile: null,
    },
    ...{ issuers: [0], reuseKey: false, ignoreIssueCap: false, regions: ['us-east-1'], hostedZones: [0] },
  })),
});

interface Calls {
  scans: number;
  writes: number;
  ca: number;
}

/** Starts a server that answers Scan with the fleet, and other requests with an empty item. The pages are made before the measurement. */
async function startDynamoDb(count: number, calls: Calls, items: (index: number) => object) {
  const pages = Array.from({ length: Math.ceil(count / pageSize) }, (_, page) => {
    const end = Math.min((page + 1) * pageSize, count);
    const Items = Array.from({ length: end - page * pageSize }, (_, index) => items(page * pageSize + index));
    const next = end < count && { LastEvaluatedKey: { id: { S: `certificate#c${end - 1}` } } };
    return Buffer.from(JSON.stringify({ Items, ...next }));
  });
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    const operation = String(request.headers['x-amz-target']).split('.').at(-1);
    if (operation === 'Scan') {
      calls.scans += 1;
      const { ExclusiveStartKey: after } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly ExclusiveStartKey?: { readonly id: { readonly S: string } };
      };
      const last = after ? Number(after.id.S.replace('certificate#c', '')) : -1;
      // A page has a fixed start, so a refresh that stopped inside a page reads that page again.
      setTimeout(() => response.end(pages[Math.floor((last + 1) / pageSize)]), latency.scan);
      return;
    }
    calls.writes += operation === 'UpdateItem' ? 1 : 0;
    setTimeout(() => response.end('{}'), latency.write);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** Starts a CA with renewal information only. */
async function startCa(calls: Calls) {
  const { root: rootCertificate, certificate, privateKey } = await makeListenerCertificate(['127.0.0.1'], new Date());
  const server = https.createServer({ cert: certificate, key: privateKey }, (request, response) => {
    calls.ca += 1;
    const suggestedWindow = { start: time(50), end: time(52) };
    const isDirectory = request.url === '/directory';
    const body = isDirectory ? { renewalInfo: `${url}/renewal-info` } : { suggestedWindow };
    setTimeout(
      () => response.setHeader('Retry-After', '21600').end(JSON.stringify(body)),
      isDirectory ? 0 : latency.ca,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, rootCertificate, close: () => server.close() };
}

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
