import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import packet, { type DecodedPacket, type Packet } from 'dns-packet';
import type { Address } from './addresses.ts';
import { LookupError, within } from './lookup.ts';

/** Milliseconds for each try over UDP. */
export type Tries = readonly [number, ...number[]];

/**
 * Sends a query over UDP. The socket is connected, so that it receives datagrams of this server only and a closed port is an immediate error.
 * Returns `truncated` if the complete reply needs TCP.
 */
export async function askOverUdp(
  address: Address,
  asked: Packet,
  tries: Tries,
  signal?: AbortSignal,
): Promise<DecodedPacket | 'truncated'> {
  const socket = createSocket(address.family === 6 ? 'udp6' : 'udp4');
  const message = packet.encode(asked);
  try {
    const reply = new Promise<DecodedPacket | 'truncated'>((resolve, reject) => {
      socket.on('error', (error) => reject(unreachable(error)));
      socket.on('message', (received) => {
        if (isTruncated(received, asked)) return resolve('truncated');
        try {
          const decoded = decodeReply(received, asked);
          if (decoded) resolve(decoded);
        } catch {
          reject(new LookupError(`sent a reply that is not a DNS message`));
        }
      });
    });
    reply.catch(() => {}); // the reply may arrive between two tries, when no code waits for it
    socket.connect(address.port, address.host);
    await once(socket, 'connect').catch((error: Error) => {
      throw unreachable(error);
    });
    for (const milliseconds of tries) {
      socket.send(message);
      const answered = await within(milliseconds, reply, signal);
      if (answered) return answered;
    }
    throw silent(tries);
  } finally {
    socket.close();
  }
}

/** Sends a query over TCP. Each message follows its length in two bytes. RFC 1035 §4.2.2 */
export async function askOverTcp(
  address: Address,
  asked: Packet,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<DecodedPacket> {
  const socket = connect({ host: address.host, port: address.port });
  try {
    const reply = new Promise<DecodedPacket>((resolve, reject) => {
      let received = Buffer.alloc(0);
      socket.on('error', (error) => reject(unreachable(error)));
      socket.on('close', () => reject(new LookupError(`closed the TCP connection`)));
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        try {
          const decoded = decodeReply(received.subarray(2, 2 + received.readUInt16BE(0)), asked);
          if (decoded) resolve(decoded);
          else reject(new LookupError(`sent a reply to another query over TCP`));
        } catch {
          reject(new LookupError(`sent a reply over TCP that is not a DNS message`));
        }
      });
    });
    socket.write(packet.streamEncode(asked));
    const answered = await within(milliseconds, reply, signal);
    if (!answered) throw new LookupError(`did not answer over TCP within ${milliseconds / 1000} s`);
    return answered;
  } finally {
    socket.destroy();
  }
}

/** Bits of the third byte for a response and for a truncated one. RFC 1035 §4.1.1 */
const [QR, TC] = [0x80, 0x02];

/** Reads the header only. A server may truncate anywhere, and half a record cannot be decoded. */
function isTruncated(message: Buffer, asked: Packet): boolean {
  if (message.length < 12 || message.readUInt16BE(0) !== asked.id) return false;
  return (message.readUInt8(2) & (QR | TC)) === (QR | TC);
}

/** Decodes a reply to this query. Returns `null` for a reply to another query. Throws if the reply cannot be decoded. */
function decodeReply(message: Buffer, asked: Packet): DecodedPacket | null {
  if (message.length < 12 || message.readUInt16BE(0) !== asked.id) return null;
  const reply = packet.decode(message);
  const [question] = reply.questions ?? [];
  const [wanted] = asked.questions ?? [];
  if (!reply.flag_qr || !wanted) return null;
  // Error replies such as FORMERR may omit the question. RFC 1035 §4.1.1
  if (!question) return ((reply.flags ?? 0) & 0xf) === 0 ? null : reply;
  return question.name.toLowerCase() === wanted.name.toLowerCase() && question.type === wanted.type ? reply : null;
}

function silent(tries: Tries): LookupError {
  const seconds = tries.reduce((sum, milliseconds) => sum + milliseconds, 0) / 1000;
  return new LookupError(`did not answer within ${seconds} s`);
}

function unreachable(error: Error): LookupError {
  const code = 'code' in error ? String(error.code) : error.message;
  return new LookupError(`cannot be reached (${code})`, { cause: error });
}
