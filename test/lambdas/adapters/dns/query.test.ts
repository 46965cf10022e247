import { createSocket } from 'node:dgram';
import packet from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../../../lambdas/adapters/dns/addresses.ts';
import { query } from '../../../../lambdas/adapters/dns/query.ts';
import { freePort } from '../../../../local/processes.ts';
import { inVirtualTime, stopTime } from '../virtual-time.ts';
import { type Script, type Scripted, serve, txt } from './scripted-server.ts';

stopTime();

const name = '_acme-challenge.example.com';
const servers: { close(): unknown }[] = [];

async function start(script: Script) {
  const server = await serve(script);
  servers.push(server);
  const address: Address = { host: '127.0.0.1', family: 4, port: server.port };
  return { ...server, address };
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const value = (text: string): Scripted => ({ answers: [txt(name, text)] });
const ask = (address: Address, signal?: AbortSignal) => query(address, { name, type: 'TXT' }, [5_000, 5_000], signal);
const texts = async (address: Address) =>
  (await ask(address)).answers.map((each) => 'data' in each && String(each.data));

describe('a question', () => {
  test('requests no recursion, offers 1,232 bytes and has a new id each time', async () => {
    const { address, asked } = await start(() => value('one'));
    for (let each = 0; each < 5; each++) await ask(address);
    expect(asked).toHaveLength(5);
    for (const { packet } of asked) {
      expect(packet).toMatchObject({ flag_rd: false, questions: [{ name, type: 'TXT', class: 'IN' }] });
      expect(packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
    }
    expect(new Set(asked.map(({ packet }) => packet.id)).size).toBeGreaterThan(1);
  });

  test('is sent again without EDNS where the server does not know it', async () => {
    const { address, asked } = await start(({ packet }) => (packet.additionals?.length ? { code: 1 } : value('one')));
    expect(await texts(address)).toEqual(['one']);
    expect(asked).toHaveLength(2);
  });

  test('is sent again when no reply arrives', async () => {
    let heard = 0;
    const { address } = await start(() => (heard++ === 0 ? null : value('one')));
    const { result, milliseconds } = await inVirtualTime(() => texts(address));
    expect(result).toEqual(['one']);
    expect(milliseconds).toBe(5_000);
  });

  test.each([
    ['an empty label', 'a..example.com'],
    ['a label of 64 octets', `${'x'.repeat(64)}.example.com`],
    ['256 octets', `${'a.'.repeat(122)}example.com`],
  ])('for a name with %s is not sent', async (_, unaskable) => {
    const { address, asked } = await start(() => value('one'));
    await expect(query(address, { name: unaskable, type: 'TXT' }, [300])).rejects.toMatchObject({ code: 'EBADNAME' });
    expect(asked).toEqual([]);
  });
});

describe('a reply', () => {
  test('with another id is ignored', async () => {
    const { address } = await start(({ packet }) => [
      { ...value('forged'), id: ((packet.id ?? 0) + 1) % 65_536 },
      value('true'),
    ]);
    expect(await texts(address)).toEqual(['true']);
  });

  test('to another question is ignored', async () => {
    const { address } = await start(() => [{ ...value('forged'), name: 'example.org' }, value('true')]);
    expect(await texts(address)).toEqual(['true']);
  });

  test('may repeat the question in different case', async () => {
    const { address } = await start(() => ({ ...value('one'), name: name.toUpperCase() }));
    expect(await texts(address)).toEqual(['one']);
  });

  test('that is truncated is fetched over TCP', async () => {
    const { address, asked } = await start(({ protocol }) =>
      protocol === 'udp' ? { truncated: true } : value('whole'),
    );
    expect(await texts(address)).toEqual(['whole']);
    expect(asked.map(({ protocol }) => protocol)).toEqual(['udp', 'tcp']);
  });

  test.each([
    ['in the middle of a record', -205], // 201 bytes of data, and 4 of the fields before them
    ['in the middle of the question', 15],
  ])('that is cut off %s is fetched over TCP', async (_, end) => {
    const { address, asked } = await start(({ protocol, packet: { questions = [] } }) => {
      if (protocol === 'tcp') return value('whole');
      const flags = packet.AUTHORITATIVE_ANSWER | packet.TRUNCATED_RESPONSE;
      const whole = packet.encode({ type: 'response', flags, questions, answers: [txt(name, 'x'.repeat(200))] });
      return whole.subarray(0, end);
    });
    expect(await texts(address)).toEqual(['whole']);
    expect(asked.map(({ protocol }) => protocol)).toEqual(['udp', 'tcp']);
  });

  test('that is truncated and has another id is ignored', async () => {
    const { address, asked } = await start(({ packet: { id = 0 } }) => [
      { truncated: true, id: (id + 1) % 65_536 },
      value('true'),
    ]);
    expect(await texts(address)).toEqual(['true']);
    expect(asked.map(({ protocol }) => protocol)).toEqual(['udp']);
  });

  test('over TCP to another question is an error', async () => {
    const { address } = await start(({ protocol }) =>
      protocol === 'udp' ? { truncated: true } : { ...value('forged'), name: 'example.org' },
    );
    await expect(ask(address)).rejects.toThrow('sent a reply to another query over TCP');
  });

  test.each([
    ['NOERROR', 0, true],
    ['SERVFAIL', 2, true],
    ['NXDOMAIN', 3, false],
    ['REFUSED', 5, false],
    ['RCODE 9', 9, false],
  ])('says %s and whether the server is authoritative', async (status, code, authoritative) => {
    const { address } = await start(() => ({ code, authoritative }));
    expect(await ask(address)).toMatchObject({ status, authoritative });
  });
});

describe('an error', () => {
  test('names the time of all tries for a silent server', async () => {
    const { address, asked } = await start(() => null);
    await expect(inVirtualTime(() => ask(address))).rejects.toThrow('did not answer within 10 s');
    expect(asked).toHaveLength(2);
  });

  test('is immediate for a closed port', async () => {
    const closed: Address = { host: '127.0.0.1', family: 4, port: await freePort() };
    const { result, milliseconds } = await inVirtualTime(() => ask(closed).catch(String));
    expect(result).toContain('cannot be reached (ECONNREFUSED)');
    expect(milliseconds).toBe(0);
  });

  test('is the result of a truncated reply where TCP is not served', async () => {
    const udp = createSocket('udp4', (message, from) => {
      message.writeUInt16BE(0x8200, 2); // a response, truncated
      udp.send(message, from.port, from.address);
    });
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    servers.push({ close: () => udp.close() });
    await expect(ask({ host: '127.0.0.1', family: 4, port: udp.address().port })).rejects.toThrow(
      'cannot be reached (ECONNREFUSED)',
    );
  });

  test('is the result of bytes that are not a DNS message', async () => {
    const { address } = await start(() => Buffer.from('00008000000100010000000003777777', 'hex'));
    await expect(ask(address)).rejects.toThrow('sent a reply that is not a DNS message');
  });

  test('comes when the time for the whole lookup is over', async () => {
    const { address } = await start(() => null);
    const lookUp = () => ask(address, AbortSignal.timeout(50));
    await expect(inVirtualTime(lookUp)).rejects.toThrow('the time for the whole lookup is over');
  });
});
