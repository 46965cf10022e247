import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { ACMClient } from '@aws-sdk/client-acm';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createAcmCertificates } from '../../../../../lambdas/adapters/aws/acm/acm-certificates.ts';

const arn = 'arn:aws:acm:eu-west-1:123456789012:certificate/1';
const pem = { certificate: 'leaf', chain: 'chain', privateKey: 'key' };

/** The imports that ACM received, in order. `again` means that the call named an ARN. */
const imports: ('first' | 'again')[] = [];
/** The region that each call was signed for, in order. */
const regions: (string | undefined)[] = [];
/** Whether the server loses its next reply. */
let loseReply = false;
const server = createServer(async (request, response) => {
  const { CertificateArn } = (await json(request)) as { CertificateArn?: string };
  imports.push(CertificateArn ? 'again' : 'first');
  regions.push(/Credential=[^,]+\/([\w-]+)\/acm\//.exec(request.headers.authorization ?? '')?.[1]);
  if (loseReply) {
    loseReply = false;
    request.socket.destroy();
    return;
  }
  response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify({ CertificateArn: arn }));
});

beforeAll(async () => {
  // Test files share their modules, so the mock of another file may still replace the client.
  mockClient(ACMClient).restore();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL_ACM', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_PROFILE', undefined);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'example');
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  imports.length = 0;
  regions.length = 0;
});

/** Uses the clients that the functions use. */
const acm = createAcmCertificates({ stackTag: 'Perennial', secretsTag: 'eu-west-1/certificates/' });

test('a first import whose reply is lost is not sent again, because a second import would create a second certificate', async () => {
  loseReply = true;
  await expect(acm.import('eu-west-1', 'www', pem, null)).rejects.toMatchObject({
    name: 'ThrottledError',
    message: expect.stringContaining('acm:ImportCertificate on certificate www in eu-west-1'),
  });
  expect(imports).toEqual(['first']);
});

test('an import over an ARN whose reply is lost is sent again at once, because it can be repeated', async () => {
  loseReply = true;
  expect(await acm.import('eu-west-1', 'www', pem, arn)).toEqual({ arn });
  expect(imports).toEqual(['again', 'again']);
});

test('each call is sent to ACM in its own region', async () => {
  for (const region of ['eu-west-1', 'us-east-1', 'eu-west-1']) await acm.import(region, 'www', pem, arn);
  expect(regions).toEqual(['eu-west-1', 'us-east-1', 'eu-west-1']);
});
