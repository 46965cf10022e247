import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { toAttribute } from '../lambdas/adapters/aws/dynamodb/attribute-values.ts';
import { makeListenerCertificate } from '../local/listener-certificate.ts';

// The fleet of `fleet.ts`: its configuration, and servers in place of DynamoDB and the CA.

/** Time of a Scan of one page and of a reply of the CA, in ms. */
const latency = { scan: 25, write: 5, ca: 50 } as const;
/** Certificates in a page of a Scan, which has 1 MB: 1.3 KB of a certificate and 0.3 KB of its set of names. */
const pageSize = 620;

export type Fleet = 'nothing due' | 'every answer stale' | 'all due';

const now = Date.now();
const day = 86_400_000;
const time = (days: number) => new Date(now + days * day).toISOString();
const id = (index: number) => createHash('sha256').update(String(index)).digest('base64url');

/** Returns the item of a certificate as DynamoDB returns it for the projection of the fleet function. */
export function item(index: number, fleet: Fleet, directoryUrl: string): object {
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

export const config = (count: number, directoryUrl: string) => ({
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

export interface Calls {
  scans: number;
  writes: number;
  ca: number;
}

/** Starts a server that answers Scan with the fleet, and other requests with an empty item. The pages are made before the measurement. */
export async function startDynamoDb(count: number, calls: Calls, items: (index: number) => object) {
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
export async function startCa(calls: Calls) {
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
