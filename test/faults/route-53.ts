import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One call that reached the proxy. Each attempt of the SDK is a call of its own. */
export interface Route53Call {
  readonly operation: 'ChangeResourceRecordSets' | 'GetChange' | 'other';
  /** Hosted zone of the call, for GetChange the zone of the change. Empty if it is not known. */
  readonly hostedZoneId: string;
  /** Id of the change in a GetChange, or in the answer to a ChangeResourceRecordSets. */
  readonly changeId: string;
  /** Actions of a ChangeResourceRecordSets, in their order. */
  readonly actions: readonly string[];
  /** HTTP status of the answer. */
  readonly status: number;
}

/** A call without its answer. */
export type Route53Request = Omit<Route53Call, 'status'>;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Answers a call in place of Route 53. `proceed` forwards it to Route 53. */
export type Fault = (proceed: () => Promise<Answer>) => Promise<Answer>;

export interface Route53Proxy {
  readonly endpoint: string;
  /** Returns the calls for this hosted zone, oldest first. */
  calls(hostedZoneId: string): readonly Route53Call[];
  /** Applies a fault to the next `times` calls that match. @default 1 call. @returns a function that cancels the fault */
  next(matches: (request: Route53Request) => boolean, fault: Fault, times?: number): () => void;
  stop(): Promise<void>;
}

const namespace = 'https://route53.amazonaws.com/doc/2013-04-01/';
const requestId = '<RequestId>5a0c3a52-0000-4000-8000-000000000000</RequestId>';

const error = (status: number, code: string, message: string): Answer => ({
  status,
  body:
    `<?xml version="1.0"?>\n<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code>` +
    `<Message>${message}</Message></Error>${requestId}</ErrorResponse>`,
});

/** Rejects a change, because Route 53 still processes another change of the zone. API reference, ChangeResourceRecordSets. */
export const priorRequestNotComplete: Fault = async () =>
  error(
    400,
    'PriorRequestNotComplete',
    'The request was rejected because Route 53 was still processing a prior request.',
  );

/** Throttles a call with status 400. The limit counts all calls of the account. Developer Guide, "Throttling of API requests". */
export const throttling: Fault = async () => error(400, 'Throttling', 'Rate exceeded');

/** Throttles a call with status 429, as newer services do. */
export const tooManyRequests: Fault = async () => error(429, 'ThrottlingException', 'Rate exceeded');

/** Reports a change as PENDING, for GetChange. */
export const neverInSync: Fault = async (proceed) => {
  const { status, body } = await proceed();
  return { status, body: body.replace('<Status>INSYNC</Status>', '<Status>PENDING</Status>') };
};

/**
 * Rewrites a rejected change into the XML form that only InvalidChangeBatch has (aws/aws-sdk-go-v2,
 * service/route53/internal/customizations).
 */
export const ownForm: Fault = async (proceed) => {
  const { status, body } = await proceed();
  const [, message] = /<Code>InvalidChangeBatch<\/Code><Message>\[(.*)\]<\/Message>/.exec(body) ?? [];
  if (message === undefined) return { status, body };
  const messages = `<Messages><Message>${message}</Message></Messages>`;
  return {
    status,
    body: `<?xml version="1.0"?>\n<InvalidChangeBatch xmlns="${namespace}">${messages}${requestId}</InvalidChangeBatch>`,
  };
};

/** Starts a proxy in front of Route 53. It forwards every call, except those that get a fault. */
export async function startRoute53Proxy(upstream: string): Promise<Route53Proxy> {
  const calls: Route53Call[] = [];
  const script: { readonly matches: (request: Route53Request) => boolean; readonly fault: Fault; times: number }[] = [];

  async function answerTo(incoming: IncomingMessage): Promise<Answer> {
    const body = await text(incoming);
    const request = read(incoming, body, calls);
    const line = script.find(({ matches, times }) => times > 0 && matches(request));
    if (line) line.times -= 1;
    const proceed = () => forward(upstream, incoming, body);
    const answer = await (line ? line.fault(proceed) : proceed());
    const made = /<Id>\/?(?:change\/)?(C\w+)<\/Id>/.exec(answer.body)?.[1] ?? '';
    calls.push({ ...request, changeId: request.changeId || made, status: answer.status });
    return answer;
  }

  const server = http.createServer((incoming, outgoing) => {
    answerTo(incoming)
      // The upstream is down, or the proxy has a bug. No test takes status 599 for an answer of Route 53.
      .catch((cause): Answer => ({ status: 599, body: String(cause) }))
      .then(({ status, body }) => outgoing.writeHead(status, { 'content-type': 'text/xml' }).end(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: (hostedZoneId) => calls.filter((call) => call.hostedZoneId === hostedZoneId),
    next(matches, fault, times = 1) {
      const line = { matches, fault, times };
      script.push(line);
      return () => {
        line.times = 0;
      };
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Reads the operation from a request. GetChange does not name the zone, so the zone comes from the call that made the change. */
function read({ method, url = '' }: IncomingMessage, body: string, calls: readonly Route53Call[]): Route53Request {
  const [, changeId = ''] = /\/change\/(\w+)$/.exec(url) ?? [];
  if (changeId) {
    const hostedZoneId = calls.find((call) => call.changeId === changeId)?.hostedZoneId ?? '';
    return { operation: 'GetChange', hostedZoneId, changeId, actions: [] };
  }
  const [, hostedZoneId = ''] = /\/hostedzone\/(\w+)/.exec(url) ?? [];
  const actions = [...body.matchAll(/<Action>(\w+)<\/Action>/g)].map(([, action = '']) => action);
  const changes = method === 'POST' && actions.length > 0;
  return { operation: changes ? 'ChangeResourceRecordSets' : 'other', hostedZoneId, changeId: '', actions };
}

/** Forwards a request with its signature, which names the caller. */
async function forward(upstream: string, { method, url, headers }: IncomingMessage, body: string): Promise<Answer> {
  const outgoing = http.request(`${upstream}${url}`, { method, headers: kept(headers) });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 0, body: await text(incoming) };
}

function kept({ connection: _, 'transfer-encoding': __, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers;
}
