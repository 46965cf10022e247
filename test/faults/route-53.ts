import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One call as the proxy saw it: each of the SDK's own attempts is one. */
export interface Route53Call {
  readonly operation: 'ChangeResourceRecordSets' | 'GetChange' | 'other';
  /** Of a GetChange: that of the change. Empty where it is not known. */
  readonly hostedZoneId: string;
  /** Of a GetChange, and of what a ChangeResourceRecordSets was answered with. */
  readonly changeId: string;
  /** Of a ChangeResourceRecordSets, in their order. */
  readonly actions: readonly string[];
  /** HTTP status of the answer. */
  readonly status: number;
}

/** A call that is not answered yet. */
export type Route53Request = Omit<Route53Call, 'status'>;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What becomes of a call. `proceed` lets it through. */
export type Fault = (proceed: () => Promise<Answer>) => Promise<Answer>;

export interface Route53Proxy {
  readonly endpoint: string;
  /** About this hosted zone, oldest first. */
  calls(hostedZoneId: string): readonly Route53Call[];
  /** The next `times` calls that match meet this fault. Returns how to call it off. */
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

/** A zone takes one change at a time. API reference, ChangeResourceRecordSets. */
export const priorRequestNotComplete: Fault = async () =>
  error(
    400,
    'PriorRequestNotComplete',
    'The request was rejected because Route 53 was still processing a prior request.',
  );

/** The account's calls of all its zones together. Developer Guide, "Throttling of API requests": status 400. */
export const throttling: Fault = async () => error(400, 'Throttling', 'Rate exceeded');

/** The same as newer services say it. */
export const tooManyRequests: Fault = async () => error(429, 'ThrottlingException', 'Rate exceeded');

/** For GetChange: the change does not reach Route 53's servers. */
export const neverInSync: Fault = async (proceed) => {
  const { status, body } = await proceed();
  return { status, body: body.replace('<Status>INSYNC</Status>', '<Status>PENDING</Status>') };
};

/** For a change that is refused: in the form that only InvalidChangeBatch has (aws/aws-sdk-go-v2, service/route53/internal/customizations). */
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

/** A proxy before Route 53, real in all but the faults that it is told of. */
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
      // The upstream is gone, or this proxy is wrong: a status that no test takes for an answer of Route 53.
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

/** A GetChange does not say which zone its change is in: the call that made it did. */
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

/** With the signature as it is: it names who calls. */
async function forward(upstream: string, { method, url, headers }: IncomingMessage, body: string): Promise<Answer> {
  const outgoing = http.request(`${upstream}${url}`, { method, headers: kept(headers) });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 0, body: await text(incoming) };
}

function kept({ connection: _, 'transfer-encoding': __, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers;
}
