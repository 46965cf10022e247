import dgram from 'node:dgram';
import dns2 from 'dns2';
import { afterEach, describe, expect, test } from 'vitest';
import { createAddressBook } from '../../../../lambdas/adapters/dns/addresses.ts';
import { createNameServers } from '../../../../lambdas/adapters/dns/name-servers.ts';
import { freePort } from '../../../../local/processes.ts';
import { inVirtualTime, stopTime } from '../virtual-time.ts';
import { cname, hosts, type Script, serve as serveScript, systemResolverAt, txt } from './scripted-server.ts';

stopTime();

const { createServer, Packet } = dns2;
const name = '_acme-challenge.example.com';
const closers: (() => unknown)[] = [];

/** A server on loopback, with UDP and TCP on one port, that keeps the names in its queries. */
async function serve(answer: () => { rcode?: number; texts: readonly (string | string[])[] }) {
  const asked: string[] = [];
  const server = createServer({
    udp: { type: 'udp4' },
    tcp: true,
    handle(request, send) {
      const response = Packet.createResponseFromRequest(request);
      const [question] = request.questions;
      asked.push(question?.name ?? '');
      const { rcode = 0, texts } = answer();
      response.header.rcode = rcode;
      for (const data of texts) {
        if (question) response.answers.push(Packet.createResourceFromQuestion(question, { ttl: 60, data }));
      }
      send(response);
    },
  });
  const port = await freePort();
  await server.listen({ udp: { port, address: '127.0.0.1' }, tcp: { port, address: '127.0.0.1' } });
  closers.push(() => server.close());
  return { address: `127.0.0.1:${port}`, port, asked };
}

/** The same server with a scripted reply. */
async function scripted(script: Script) {
  const server = await serveScript(script);
  closers.push(() => server.close());
  return server;
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('the TXT values of a name', () => {
  test('are those of the reply, with the chunks of one value joined', async () => {
    const { address, asked } = await serve(() => ({ texts: ['one', ['a'.repeat(255), 'b']] }));
    expect(await createNameServers().txt(address, name)).toEqual(['one', `${'a'.repeat(255)}b`]);
    expect(asked).toEqual([name]);
  });

  test('are those at the target of CNAMEs in the reply', async () => {
    const { address } = await scripted(() => ({
      answers: [
        txt('elsewhere.example.com', 'foreign'),
        cname('_ACME-challenge.example.com', 'one.example.net'),
        cname('one.example.net', 'two.example.net'),
        txt('two.example.net', 'delegated'),
      ],
    }));
    expect(await createNameServers().txt(address, name)).toEqual(['delegated']);
  });

  test('are empty for a CNAME loop', async () => {
    const { address } = await scripted(() => ({ answers: [cname(name, 'b.test'), cname('b.test', name)] }));
    expect(await createNameServers().txt(address, name)).toEqual([]);
  });

  test('are those at the end of at most eight CNAMEs, so that a reply with thousands of them takes no time', async () => {
    let links = 8;
    const { address } = await scripted(() => ({
      answers: [
        ...Array.from({ length: links }, (_, index) =>
          cname(index === 0 ? name : `${index}.test`, `${index + 1}.test`),
        ),
        txt(`${links}.test`, 'delegated'),
      ],
    }));
    expect(await createNameServers().txt(address, name)).toEqual(['delegated']);
    links = 9;
    expect(await createNameServers().txt(address, name)).toEqual([]);
  });

  test('are queried every time, so that no cache hides a change', async () => {
    const values = ['old'];
    const { address } = await serve(() => ({ texts: values }));
    const nameServers = createNameServers();
    expect(await nameServers.txt(address, name)).toEqual(['old']);
    values.splice(0, 1, 'new');
    expect(await nameServers.txt(address, name)).toEqual(['new']);
  });

  test('arrive over TCP when they do not fit into a datagram', async () => {
    const values = Array.from({ length: 60 }, (_, index) => `${index}-${'v'.repeat(43)}`);
    const { address } = await serve(() => ({ texts: values }));
    expect(await createNameServers().txt(address, name)).toEqual(values);
  });

  test.each([
    ['NOERROR and nothing', 0],
    ['NXDOMAIN', 3],
    ['SERVFAIL', 2],
    ['REFUSED', 5],
  ])('are none for %s', async (_, rcode) => {
    const { address } = await serve(() => ({ rcode, texts: [] }));
    expect(await createNameServers().txt(address, name)).toEqual([]);
  });

  test('are empty for a server that is down', async () => {
    expect(await createNameServers().txt(`127.0.0.1:${await freePort()}`, name)).toEqual([]);
  });

  test('are empty for a server that never answers', async () => {
    const silent = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    closers.push(() => silent.close());
    const server = `127.0.0.1:${silent.address().port}`;
    const { result, milliseconds } = await inVirtualTime(() => createNameServers().txt(server, name));
    expect(result).toEqual([]);
    expect(milliseconds).toBe(4_000);
  });

  test('are found by host name at the address that answers', async () => {
    const { port } = await serve(() => ({ texts: ['one'] }));
    const system = await scripted(hosts({ 'ns.example.com': ['127.0.0.77', '127.0.0.1'] }));
    const nameServers = createNameServers(createAddressBook('laboratory', systemResolverAt(system.address)));
    expect(await nameServers.txt(`ns.example.com:${port}`, name)).toEqual(['one']);
    expect(await nameServers.txt(`ns.example.com.:${port}`, name)).toEqual(['one']);
  });

  test('are empty where the target of a CNAME is not a valid name', async () => {
    const { address } = await scripted(() => ({ answers: [cname(name, 'a b\n.test'), txt('a b\n.test', 'forged')] }));
    expect(await createNameServers().txt(address, name)).toEqual([]);
  });

  test('are empty for a host name without an address', async () => {
    expect(await createNameServers().txt(`${'x'.repeat(64)}.invalid`, name)).toEqual([]);
  });

  test('of an invalid name are an error', async () => {
    const { address } = await serve(() => ({ texts: [] }));
    await expect(createNameServers().txt(address, `${'x'.repeat(64)}.example.com`)).rejects.toMatchObject({
      code: 'EBADNAME',
    });
  });
});
