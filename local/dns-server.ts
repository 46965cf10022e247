import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import packet, { type Packet } from 'dns-packet';
import { absolute, answer, type Delegations, fromRoot } from './dns-records.ts';
import type { StoredZone } from './ministack.ts';

/**
 * `root`: root and every domain above the hosted zones, where the service begins to look. `authoritative`: the zones' name server,
 * where it is referred to. `validation`: what the CA asks.
 */
export type DnsView = 'root' | 'authoritative' | 'validation';

export interface DnsQuestion {
  view: DnsView;
  protocol: 'udp' | 'tcp';
  name: string;
  type: string;
  at: Date;
}

export interface HiddenRecords {
  view: DnsView;
  /** Every record of this name is hidden, */
  name: string;
  /** or only the TXT value that is exactly this text. */
  value?: string;
}

export interface DnsServer {
  /** `address:port` of each view; UDP and TCP. */
  addresses: Record<DnsView, string>;
  /** Every question asked, oldest first. */
  questions: DnsQuestion[];
  /** From now on the view answers as if these records were not there; the returned function shows them again. */
  hide(records: HiddenRecords): () => void;
  /** Shows everything again, delegated as the zones say. */
  showAll(): void;
  /**
   * The parent delegates this zone to these servers (host names, or `address:port`) or, `null`, to none, whatever the zone's own NS set
   * says; the returned function ends it. Only who asks for a delegation sees it: the zones' name server answers for the zone as ever.
   */
  delegate(zone: string, servers: readonly string[] | null): () => void;
  stop(): Promise<void>;
}

/** What a UDP answer may hold when the asker names no size (RFC 1035 §2.3.4). */
const PLAIN_UDP_SIZE = 512;
/** RFC 1035 §4.1.1. */
const REPLY_CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** Starts the views. `zones` is asked anew for every question, so answers are never stale. */
export async function startDnsServer(zones: () => Promise<StoredZone[]>): Promise<DnsServer> {
  const questions: DnsQuestion[] = [];
  const hidden = new Set<HiddenRecords>();
  const delegations: Delegations = new Map();

  const reply = async (view: DnsView, protocol: 'udp' | 'tcp', message: Buffer): Promise<Buffer> => {
    const query = packet.decode(message);
    const [question] = query.questions ?? [];
    if (!question) return encodeReply(query, 'REFUSED');
    questions.push({ view, protocol, name: question.name.toLowerCase(), type: question.type, at: new Date() });
    const stored = await zones().catch(() => undefined); // Route 53 is gone: the asker shall know at once.
    if (!stored) return encodeReply(query, 'SERVFAIL');
    const shown = withoutHidden(stored, view, hidden);
    const { status, authoritative, ...sections } =
      view === 'root'
        ? fromRoot(shown, delegations, question.name)
        : answer(shown, question.name, question.type, view === 'authoritative' ? delegations : undefined);
    const flags = authoritative ? packet.AUTHORITATIVE_ANSWER : 0;
    const whole = encodeReply(query, status, flags, sections);
    const tooLong = protocol === 'udp' && whole.length > udpLimit(query);
    return tooLong ? encodeReply(query, status, flags | packet.TRUNCATED_RESPONSE) : whole;
  };

  const serve = (view: DnsView) => listen((protocol, message) => reply(view, protocol, message));
  const [root, authoritative, validation] = [
    await serve('root'),
    await serve('authoritative'),
    await serve('validation'),
  ];
  return {
    addresses: { root: root.address, authoritative: authoritative.address, validation: validation.address },
    questions,
    hide(records) {
      hidden.add(records);
      return () => hidden.delete(records);
    },
    showAll: () => {
      hidden.clear();
      delegations.clear();
    },
    delegate(zone, servers) {
      delegations.set(absolute(zone), servers);
      return () => delegations.delete(absolute(zone));
    },
    stop: async () => {
      await Promise.all([root.stop(), authoritative.stop(), validation.stop()]);
    },
  };
}

function udpLimit(query: Packet): number {
  const edns = query.additionals?.find((record) => record.type === 'OPT');
  return edns && 'udpPayloadSize' in edns ? Math.max(edns.udpPayloadSize, PLAIN_UDP_SIZE) : PLAIN_UDP_SIZE;
}

/** The question is given back as it was asked: resolvers that mix upper and lower case compare it. */
function encodeReply(
  query: Packet,
  status: keyof typeof REPLY_CODES,
  flags = 0,
  sections: Pick<Packet, 'answers' | 'authorities'> = {},
): Buffer {
  return packet.encode({
    id: query.id ?? 0,
    type: 'response',
    flags: flags | ((query.flags ?? 0) & packet.RECURSION_DESIRED) | REPLY_CODES[status],
    questions: query.questions ?? [],
    ...sections,
  });
}

function withoutHidden(zones: StoredZone[], view: DnsView, hidden: Set<HiddenRecords>): StoredZone[] {
  const rules = [...hidden].filter((rule) => rule.view === view);
  if (rules.length === 0) return zones;
  const hides = (name: string, value: string) =>
    rules.some((rule) => absolute(rule.name) === name && (rule.value === undefined || `"${rule.value}"` === value));
  return zones.map((zone) => ({
    ...zone,
    records: zone.records
      .map((record) => ({ ...record, values: record.values.filter((value) => !hides(record.name, value)) }))
      .filter((record) => record.values.length > 0),
  }));
}

type Responder = (protocol: 'udp' | 'tcp', message: Buffer) => Promise<Buffer>;

/** One port of 127.0.0.1 for UDP and TCP alike. */
async function listen(respond: Responder): Promise<{ address: string; stop(): Promise<void> }> {
  // The port that UDP gets may be taken for TCP: then another one. Ten times is never needed.
  for (let attempt = 0; attempt < 10; attempt++) {
    const udp = createSocket('udp4', (message, from) => {
      respond('udp', message).then(
        (reply) => udp.send(reply, from.port, from.address),
        () => {}, // Not a DNS message: nobody waits for an answer.
      );
    });
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    const tcp = createServer((socket) => serveTcp(socket, respond));
    tcp.listen(port, '127.0.0.1');
    try {
      await once(tcp, 'listening');
      return { address: `127.0.0.1:${port}`, stop: () => close(udp, tcp) };
    } catch {
      udp.close();
    }
  }
  throw new Error('No port of 127.0.0.1 is free for UDP and TCP');
}

async function close(udp: UdpSocket, tcp: Server): Promise<void> {
  udp.close();
  tcp.close();
  await once(tcp, 'close');
}

/** RFC 1035 §4.2.2: each message after its length in two bytes; several may come on one connection. */
function serveTcp(socket: Socket, respond: Responder): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', async (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      received = received.subarray(2 + message.length);
      try {
        const reply = await respond('tcp', message);
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      } catch {
        socket.destroy(); // Not a DNS message.
      }
    }
  });
}
