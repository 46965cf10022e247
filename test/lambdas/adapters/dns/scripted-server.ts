import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, isIPv4, type Socket } from 'node:net';
import packet, { type Answer, type Packet } from 'dns-packet';

export interface Asked {
  readonly protocol: 'udp' | 'tcp';
  readonly name: string;
  readonly type: string;
  readonly packet: Packet;
}

export interface Scripted {
  /** @default NOERROR */
  readonly code?: number;
  /** Sets the AA bit. @default true */
  readonly authoritative?: boolean;
  readonly truncated?: boolean;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  /** A question to send in place of the received one. */
  readonly id?: number;
  readonly name?: string;
}

/** The reaction of a server to a question: replies in turn, raw bytes, or silence. */
export type Script = (asked: Asked) => Scripted | readonly Scripted[] | Buffer | null;

export interface ScriptedServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly port: number;
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** A DNS server on loopback, with UDP and TCP on one port, that answers as the script says. */
export async function serve(script: Script): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  function replies(protocol: 'udp' | 'tcp', message: Buffer): readonly Buffer[] {
    const query = packet.decode(message);
    const [{ name, type } = { name: '', type: '' }] = query.questions ?? [];
    const question: Asked = { protocol, name: name.toLowerCase(), type, packet: query };
    asked.push(question);
    const scripted = script(question);
    if (scripted === null) return [];
    if (Buffer.isBuffer(scripted)) {
      scripted.writeUInt16BE(query.id ?? 0);
      return [scripted];
    }
    return [scripted].flat().map((each) => encode(query, each));
  }

  for (let attempt = 0; attempt < 10; attempt++) {
    const udp = createSocket('udp4', (message, from) => {
      for (const reply of replies('udp', message)) udp.send(reply, from.port, from.address);
    });
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    const sockets = new Set<Socket>();
    const tcp = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        for (const reply of replies('tcp', chunk.subarray(2))) socket.write(withLength(reply));
      });
    });
    tcp.listen(port, '127.0.0.1');
    try {
      await once(tcp, 'listening');
    } catch {
      udp.close(); // the port is in use for TCP, so another one is tried
      continue;
    }
    const close = async () => {
      udp.close();
      for (const socket of sockets) socket.destroy();
      tcp.close();
      await once(tcp, 'close');
    };
    return { address: `127.0.0.1:${port}`, port, asked, close };
  }
  throw new Error('No port of 127.0.0.1 is free for UDP and TCP');
}

function encode(query: Packet, scripted: Scripted): Buffer {
  const {
    code = 0,
    authoritative = true,
    truncated = false,
    answers = [],
    authorities = [],
    additionals = [],
  } = scripted;
  return packet.encode({
    type: 'response',
    id: scripted.id ?? query.id ?? 0,
    flags: code | (authoritative ? packet.AUTHORITATIVE_ANSWER : 0) | (truncated ? packet.TRUNCATED_RESPONSE : 0),
    questions: (query.questions ?? []).map((question) => ({ ...question, name: scripted.name ?? question.name })),
    answers: [...answers],
    authorities: [...authorities],
    additionals: [...additionals],
  });
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

export const cname = (name: string, data: string): Answer => ({ type: 'CNAME', name, data });
export const txt = (name: string, data: string): Answer => ({ type: 'TXT', name, data });
export const a = (name: string, data: string): Answer => ({ type: 'A', name, data });
export const aaaa = (name: string, data: string): Answer => ({ type: 'AAAA', name, data });
export const ns = (name: string, ...servers: readonly string[]): Answer[] =>
  servers.map((data) => ({ type: 'NS', name, data }));
export const soa = (name: string): Answer => ({ type: 'SOA', name, data: { mname: 'ns.test', rname: 'admin.test' } });
export const caa = (name: string, flags: number, tag: string, value: string): Answer => ({
  type: 'CAA',
  name,
  data: { flags, tag: tag as 'issue', value },
});
export const referral = (zone: string, ...servers: readonly string[]): Scripted => ({
  authoritative: false,
  authorities: ns(zone, ...servers),
});

/** The script of a resolver that knows these hosts. */
export const hosts =
  (known: Readonly<Record<string, readonly string[]>>): Script =>
  ({ name, type }) => {
    const addresses = known[name];
    if (!addresses) return { code: 3 };
    const fitting = addresses.filter((each) => (type === 'A') === isIPv4(each));
    return { answers: fitting.map((each) => (type === 'A' ? a(name, each) : aaaa(name, each))) };
  };

/** A system resolver at this address. */
export const systemResolverAt = (address: string) => () => {
  const resolver = new Resolver({ timeout: 10_000, tries: 2 });
  resolver.setServers([address]);
  return resolver;
};
