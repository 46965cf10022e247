import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import packet from 'dns-packet';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAuthoritativeDns } from '../../lambdas/adapters/dns/authoritative.ts';
import { type DnsServer, type DnsView, startDnsServer } from '../../local/dns-server.ts';
import type { StoredZone } from '../../local/ministack.ts';

const record = (name: string, type: string, ...values: string[]) => ({ name, type, ttl: 60, values });

const zones: StoredZone[] = [
  {
    id: 'Z1',
    name: 'example.test.',
    records: [
      record('example.test.', 'SOA', '127.0.0.1:5301. hostmaster.example.test. 1 7200 900 1209600 86400'),
      record('example.test.', 'NS', '127.0.0.1:5301.'),
      record('example.test.', 'A', '192.0.2.1', '192.0.2.2'),
      record('example.test.', 'AAAA', '2001:db8::1'),
      record('example.test.', 'CAA', '0 issue "ca.example; accounturi=x"', '128 iodef "mailto:a@example.test"'),
      record('example.test.', 'MX', '10 mail.example.test.'),
      record('_acme-challenge.example.test.', 'TXT', '"first"', '"sec" "ond"', '"a \\"quote\\" \\052"'),
      record('_acme-challenge.alias.example.test.', 'CNAME', '_acme-challenge.alias.elsewhere.test.'),
      record('_acme-challenge.lost.example.test.', 'CNAME', 'somewhere.invalid.'),
      record('deep.below.example.test.', 'TXT', '"deep"'),
      record('*.wild.example.test.', 'TXT', '"any"'),
      record('sub.example.test.', 'NS', 'ns.sub-owner.test.'),
      record('long.example.test.', 'TXT', ...['a', 'b', 'c'].map((letter) => `"${letter.repeat(255)}"`)),
    ],
  },
  {
    id: 'Z2',
    name: 'elsewhere.test.',
    records: [record('_acme-challenge.alias.elsewhere.test.', 'TXT', '"delegated"')],
  },
  {
    id: 'Z3',
    name: 'child.example.test.',
    records: [
      record('child.example.test.', 'NS', '127.0.0.1:5301.'),
      record('www.child.example.test.', 'A', '192.0.2.3'),
    ],
  },
];

let server: DnsServer;
let routeIsDown = false;
beforeAll(async () => {
  server = await startDnsServer(async () => {
    if (routeIsDown) throw new Error('connection refused');
    return zones;
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.showAll();
  server.questions.length = 0;
});

/** Returns a resolver of Node.js. It uses UDP, and TCP when the answer is truncated. */
function resolver(view: DnsView = 'authoritative'): Resolver {
  const made = new Resolver({ timeout: 10_000, tries: 1 });
  made.setServers([server.addresses[view]]);
  return made;
}

async function askOverTcp(name: string, type: 'TXT' | 'A' | 'SOA', view: DnsView = 'validation') {
  const [host, port] = server.addresses[view].split(':');
  const query = packet.streamEncode({ type: 'query', id: 7, questions: [{ name, type }] });
  return new Promise<ReturnType<typeof packet.streamDecode>>((resolve, reject) => {
    const socket = connect(Number(port), host, () => {
      // In two pieces, as a slow network would deliver it.
      socket.write(query.subarray(0, 1));
      setTimeout(() => socket.write(query.subarray(1)), 10);
    });
    socket.on('error', reject);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(packet.streamDecode(received));
    });
  });
}

describe('records of a hosted zone', () => {
  test('are answered over UDP for every type', async () => {
    const asked = resolver();
    expect(await asked.resolve4('example.test')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await asked.resolve6('example.test')).toEqual(['2001:db8::1']);
    expect(await asked.resolveNs('example.test')).toEqual(['127.0.0.1:5301']);
    expect(await asked.resolveMx('example.test')).toMatchObject([{ priority: 10, exchange: 'mail.example.test' }]);
    expect(await asked.resolveSoa('example.test')).toMatchObject({
      nsname: '127.0.0.1:5301',
      serial: 1,
      minttl: 86400,
    });
    expect(await asked.resolveCaa('example.test')).toMatchObject([
      { critical: 0, issue: 'ca.example; accounturi=x' },
      { critical: 128, iodef: 'mailto:a@example.test' },
    ]);
  });

  test('have separate TXT values, each with its strings in order and its escapes decoded', async () => {
    const values = await resolver().resolveTxt('_acme-challenge.example.test');
    expect(values).toEqual([['first'], ['sec', 'ond'], ['a "quote" *']]);
  });

  test('are found for names in upper and lower case', async () => {
    expect(await resolver().resolveTxt('_ACME-Challenge.Example.TEST')).toHaveLength(3);
    expect(server.questions[0]).toMatchObject({ name: '_acme-challenge.example.test', type: 'TXT', protocol: 'udp' });
  });

  test('are answered over TCP too, with the authoritative flag', async () => {
    const reply = await askOverTcp('_acme-challenge.example.test', 'TXT');
    expect(reply).toMatchObject({ id: 7, rcode: 'NOERROR', flag_aa: true });
    expect(reply.answers).toHaveLength(3);
    expect(server.questions).toMatchObject([{ view: 'validation', protocol: 'tcp' }]);
  });

  test('are truncated over UDP if the answer is too long, so that the client asks over TCP', async () => {
    expect((await resolver().resolveTxt('long.example.test')).map(([text]) => text?.length)).toEqual([255, 255, 255]);
  });
});

describe('names and types that do not exist', () => {
  test('an unknown name is answered with NXDOMAIN and the SOA of the zone', async () => {
    const reply = await askOverTcp('unknown.example.test', 'TXT');
    expect(reply).toMatchObject({ rcode: 'NXDOMAIN', flag_aa: true, answers: [] });
    expect(reply.authorities).toMatchObject([{ type: 'SOA', name: 'example.test' }]);
  });

  test.each(['example.test', 'below.example.test'])('%s exists without TXT records', async (name) => {
    expect(await askOverTcp(name, 'TXT')).toMatchObject({
      rcode: 'NOERROR',
      answers: [],
      authorities: [{ type: 'SOA' }],
    });
  });

  test('a name in no hosted zone is refused', async () => {
    expect(await askOverTcp('example.org', 'A')).toMatchObject({ rcode: 'REFUSED', flag_aa: false });
  });

  test('every name is answered with SERVFAIL while Route 53 does not answer', async () => {
    routeIsDown = true;
    const reply = await askOverTcp('example.test', 'TXT');
    routeIsDown = false;
    expect(reply).toMatchObject({ rcode: 'SERVFAIL', answers: [] });
  });

  test('a wildcard answers for a name that does not exist', async () => {
    expect(await resolver().resolveTxt('x.wild.example.test')).toEqual([['any']]);
  });

  test('a name in a delegated part is answered with a referral', async () => {
    const reply = await askOverTcp('_acme-challenge.sub.example.test', 'TXT');
    expect(reply).toMatchObject({ rcode: 'NOERROR', flag_aa: false, answers: [] });
    expect(reply.authorities).toMatchObject([{ type: 'NS', data: 'ns.sub-owner.test' }]);
  });
});

describe('aliases', () => {
  test('a CNAME is followed into another hosted zone', async () => {
    const reply = await askOverTcp('_acme-challenge.alias.example.test', 'TXT');
    expect(reply.answers).toMatchObject([
      { type: 'CNAME', data: '_acme-challenge.alias.elsewhere.test' },
      { type: 'TXT', data: [Buffer.from('delegated')] },
    ]);
  });

  test('a CNAME to a name outside the hosted zones is the only answer', async () => {
    const reply = await askOverTcp('_acme-challenge.lost.example.test', 'TXT');
    expect(reply).toMatchObject({ rcode: 'NOERROR', answers: [{ type: 'CNAME', data: 'somewhere.invalid' }] });
  });
});

describe('views', () => {
  const name = '_acme-challenge.example.test';

  test('a hidden name does not exist in its view, but in the others, until it is shown again', async () => {
    const show = server.hide({ view: 'validation', name });
    await expect(resolver('validation').resolveTxt(name)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(await resolver('authoritative').resolveTxt(name)).toHaveLength(3);
    show();
    expect(await resolver('validation').resolveTxt(name)).toHaveLength(3);
  });

  test('hiding a value does not hide the other values of its name', async () => {
    server.hide({ view: 'authoritative', name: '_acme-challenge.EXAMPLE.test', value: 'first' });
    expect(await resolver().resolveTxt(name)).toEqual([['sec', 'ond'], ['a "quote" *']]);
    server.showAll();
    expect(await resolver().resolveTxt(name)).toHaveLength(3);
  });
});

describe('the root and the domains above the zones', () => {
  const ask = (name: string, type: 'TXT' | 'A' | 'SOA' = 'TXT') => askOverTcp(name, type, 'root');

  test('refer to the servers in the NS set of the zone', async () => {
    const reply = await ask('_acme-challenge.EXAMPLE.test');
    expect(reply).toMatchObject({ rcode: 'NOERROR', flag_aa: false, answers: [] });
    expect(reply.authorities).toMatchObject([{ type: 'NS', name: 'example.test', data: '127.0.0.1:5301' }]);
    expect(server.questions).toMatchObject([{ view: 'root', name: '_acme-challenge.example.test' }]);
  });

  test('refer to the topmost of two zones, as parents do', async () => {
    expect((await ask('www.child.example.test')).authorities).toMatchObject([{ type: 'NS', name: 'example.test' }]);
  });

  test.each([
    ['unknown.invalid', 'NXDOMAIN'],
    ['test', 'NOERROR'],
    ['elsewhere.test', 'NXDOMAIN'], // a zone without an NS set has no delegation
  ])('answer for %s themselves with %s', async (name, rcode) => {
    const reply = await ask(name);
    expect(reply).toMatchObject({ rcode, flag_aa: true, answers: [], authorities: [{ type: 'SOA', name: '.' }] });
  });

  test('answer with SERVFAIL while Route 53 does not answer', async () => {
    routeIsDown = true;
    const reply = await ask('example.test');
    routeIsDown = false;
    expect(reply).toMatchObject({ rcode: 'SERVFAIL' });
  });

  test('refer to other servers, or to none, while a test changes the delegation', async () => {
    const restore = server.delegate('Example.test.', ['ns1.other.test', '127.0.0.1:5302']);
    expect((await ask('www.example.test')).authorities).toMatchObject([
      { name: 'example.test', data: 'ns1.other.test' },
      { name: 'example.test', data: '127.0.0.1:5302' },
    ]);
    restore();
    server.delegate('example.test', null);
    expect(await ask('www.example.test')).toMatchObject({ rcode: 'NXDOMAIN', flag_aa: true });
    server.showAll();
    expect(await ask('www.example.test')).toMatchObject({ authorities: [{ data: '127.0.0.1:5301' }] });
  });
});

describe('a delegation that a test changes', () => {
  test('does not change the answers of the name server of the zone', async () => {
    server.delegate('example.test', null);
    expect(await resolver().resolveNs('example.test')).toEqual(['127.0.0.1:5301']);
    expect(await resolver('validation').resolveTxt('_acme-challenge.example.test')).toHaveLength(3);
  });

  test('of a zone inside another one changes only the answer to a question for its NS set', async () => {
    server.delegate('child.example.test', null);
    const asked = resolver();
    await expect(asked.resolveNs('child.example.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(await asked.resolve4('www.child.example.test')).toEqual(['192.0.2.3']);
  });
});

describe('a lookup of the service, which starts at the root', () => {
  const zonesServer = () => server.addresses.authoritative;
  const dns = () => createAuthoritativeDns({ rootServers: [server.addresses.root] });

  beforeEach(() => {
    server.delegate('example.test', [zonesServer()]);
  });

  test('finds the delegation of a zone, and of a zone in it', async () => {
    expect(await dns().delegation('example.test')).toEqual({ found: [zonesServer()] });
    expect(await dns().delegation('child.example.test')).toEqual({ found: ['127.0.0.1:5301'] });
    expect(await dns().delegation('unknown.example.test')).toEqual({ found: [] });
    expect(await dns().delegation('unknown.invalid')).toEqual({ found: [] });
  });

  test('finds a changed delegation of a zone, and of a zone in it, after earlier lookups', async () => {
    server.delegate('child.example.test', null);
    const asked = dns();
    expect(await asked.cname('_acme-challenge.alias.example.test')).toEqual({
      found: '_acme-challenge.alias.elsewhere.test',
    });
    expect(await asked.delegation('child.example.test')).toEqual({ found: [] });
    server.delegate('example.test', ['ns.other.test']);
    expect(await dns().delegation('example.test')).toEqual({ found: ['ns.other.test'] });
  });

  test('finds CAA records, and none above the zones', async () => {
    expect(await dns().caa('deep.below.example.test')).toEqual({
      found: {
        domain: 'example.test',
        records: [
          { critical: false, tag: 'issue', value: 'ca.example; accounturi=x' },
          { critical: true, tag: 'iodef', value: 'mailto:a@example.test' },
        ],
      },
    });
    expect(await dns().caa('www.unknown.invalid')).toEqual({ found: null });
  });
});

test('a server that is stopped drops the questions that it has not answered', async () => {
  let asked: () => void = () => {};
  let answer: (zones: StoredZone[]) => void = () => {};
  const question = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const stopped = await startDnsServer(() => {
    asked();
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const client = new Resolver({ timeout: 100, tries: 1 });
  client.setServers([stopped.addresses.authoritative]);
  const unanswered = expect(client.resolve4('example.test')).rejects.toMatchObject({
    code: expect.stringMatching(/ETIMEOUT|ECONNREFUSED/),
  });
  await question;
  await stopped.stop();
  answer(zones);
  await unanswered;
});
