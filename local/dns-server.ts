import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import packet, { type Packet } from 'dns-packet';
import { absolute, answer, type Delegations, fromRoot } from './dns-records.ts';
import type { StoredZone } from './ministack.ts';

/**
 * The three servers. `root` answers for the root and every domain above the hosted zones, where lookups start. `authoritative` is the
 * name server of the hosted zones. `validation` is the resolver of the CA.
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
  /** Name whose records are hidden. */
  name: string;
  /** Hides only the TXT value that equals this text. @default all records of the name */
  value?: string;
}

export interface DnsServer {
  /** `address:port` of each view, for UDP and TCP. */
  addresses: Record<DnsView, string>;
  /** Every question received, oldest first. */
  questions: DnsQuestion[];
  /** Hides records from a view. @returns a function that shows them again */
  hide(records: HiddenRecords): () => void;
  /** Shows all records again and removes all delegations that a test has set. */
  showAll(): void;
  /**
   * Makes the parent delegate a zone to these servers instead of those in the zone's NS set. Servers are host names or `address:port`.
   * `null` removes the delegation. Only questions for the delegation see the change. The name server of the zones still answers for them.
   *
   * @returns a function that restores the delegation
   */
  delegate(zone: string, servers: readonly string[] | null): () => void;
  stop(): Promise<void>;
}

/** Maximum size in bytes of a UDP answer to a client that names no size (RFC 1035 §2.3.4). */
const PLAIN_UDP_SIZE = 512;
/** RFC 1035 §4.1.1. */
const REPLY_CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** Starts the three servers. `zones` is called for every question, so that answers are never stale. */
export async function startDnsServer(zones: () => Promise<StoredZone[]>): Promise<DnsServer> {
  const questions: DnsQuestion[] = [];
  const hidden = new Set<HiddenRecords>();
  const delegations: Delegations = new Map();

  const reply = async (view: DnsView, protocol: 'udp' | 'tcp', message: Buffer): Promise<Buffer> => {
    const query = packet.decode(message);
    const [question] = query.questions ?? [];
    if (!question) return encodeReply(query, 'REFUSED');
    questions.push({ view, protocol, name: question.name.toLowerCase(), type: question.type, at: new Date() });
    const stored = await zones().catch(() => undefined); // If Route 53 is down, the client gets SERVFAIL at once.
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

/** Encodes a reply. It repeats the question unchanged, because resolvers that mix upper and lower case compare it. */
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

/** Listens on one port of 127.0.0.1 for UDP and TCP. */
async function listen(respond: Responder): Promise<{ address: string; stop(): Promise<void> }> {
  // The port that the system chooses for UDP may be in use for TCP. Ten attempts are more than enough.
  for (let attempt = 0; attempt < 10; attempt++) {
    const udp = createSocket('udp4', (message, from) => {
      respond('udp', message)
        .then((reply) => udp.send(reply, from.port, from.address))
        // It is not a DNS message, or the server was stopped in the meantime, so it gets no answer.
        .catch(() => {});
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
  throw new Error(
    'Could not start the local DNS server. No port of 127.0.0.1 was free for both UDP and TCP in ten attempts.',
  );
}

async function close(udp: UdpSocket, tcp: Server): Promise<void> {
  udp.close();
  tcp.close();
  await once(tcp, 'close');
}

/** Answers the messages of a TCP connection. Each message follows its length in two bytes (RFC 1035 §4.2.2). */
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
