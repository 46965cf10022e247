import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect } from 'vitest';
import type { EndedExecution } from '../../local/executions.ts';
import type { Boulder, Exchange } from '../boulder/boulder.ts';
import type { RequestKind } from '../boulder/exchange.ts';
import { type Behaviour, type Matcher, rateLimit } from '../boulder/misbehaviour.ts';
import type { Deployed } from './deployed.ts';
import { scaleWaits } from './observed.ts';
import { deployedThroughBoulder } from './through-boulder.ts';

/** Factor for Wait states. A minute takes 60 ms. */
export const WAIT_SCALE = 0.001;
const zones = ['example.com', 'example.net'];
const externalAccountKey = {
  kid: 'key-1',
  hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W',
};

export interface Cases {
  /** Names of the certificates, one for each case. The first deployment issues them, except those in `unissued`. */
  readonly names: readonly string[];
  /** Certificates whose first order the CA rejects, so that a later order needs a validation. */
  readonly unissued: readonly string[];
  /** Certificates that a test issues more than twice. */
  readonly uncapped?: readonly string[];
  /** Certificates that keep their key (`reuseKey`). */
  readonly pinned?: readonly string[];
}

/** A renewal and its requests. */
export interface Renewal {
  readonly run: EndedExecution;
  readonly requests: readonly Exchange[];
  /** Seconds before each retry, from the output of *Record failure*. */
  readonly waited: readonly number[];
}

export type MisbehavingCa = Awaited<ReturnType<typeof startMisbehavingCa>>;

/** Deploys one certificate for each case, with a CA that can misbehave. */
export async function startMisbehavingCa({ names, unissued, uncapped = [], pinned = [] }: Cases) {
  // The names alternate between two zones, because the CA issues only fifty certificates a week for a domain.
  const identifierOf = (name: string) => `${name}.${zones[names.indexOf(name) % 2]}`;
  const certificates = names.map((name) => ({
    name,
    identifiers: [identifierOf(name)],
    // Without a profile Pebble chooses any of its profiles, and certificates valid for a week have a shorter retry schedule.
    profile: 'default',
    ignoreIssueCap: uncapped.includes(name),
    reuseKey: pinned.includes(name),
  }));
  const endings: (() => void)[] = [];
  const during = (matcher: Matcher, behaviour: Behaviour, times = Number.POSITIVE_INFINITY): void => {
    endings.push(boulder.next(matcher, behaviour, times));
  };
  const behaveAgain = (): void => {
    for (const end of endings.splice(0)) end();
  };
  /** Sets a behaviour for the next requests of one kind and certificate. */
  const script = (name: string, kind: RequestKind, behaviour: Behaviour, times = 1): void =>
    // A request for a nonce does not belong to a certificate.
    during(kind === 'newNonce' ? kind : { kind, identifier: identifierOf(name) }, behaviour, times);
  const always = (name: string, kind: RequestKind, behaviour: Behaviour): void =>
    script(name, kind, behaviour, Number.POSITIVE_INFINITY);

  let boulder!: Boulder;
  const d = await deployedThroughBoulder(
    async (local, started) => {
      boulder = started;
      // HTTP 503 would delay the orders of the other certificates too.
      for (const name of unissued) always(name, 'newOrder', rateLimit(90_000, 'seconds'));
      const secrets = new SecretsManagerClient(local.clientConfig);
      const binding = { Name: 'binding', SecretString: JSON.stringify(externalAccountKey) };
      const { ARN: externalAccountBinding = '' } = await secrets.send(new CreateSecretCommand(binding));
      const preferredChain = commonNameOf(await local.pebble.issuingRoot(1));
      return { zones, certificates, issuer: { replyTimeout: 3, externalAccountBinding, preferredChain } };
    },
    {
      pebble: {
        chaos: { reuseAuthorizations: false, validationSleep: false, rejectNonces: false },
        externalAccountKeys: { [externalAccountKey.kid]: externalAccountKey.hmacKey },
        alternateRoots: 1,
      },
    },
  );
  behaveAgain();
  // Waits are shortened only after the first deployment. Its executions would otherwise poll without a pause.
  await scaleWaits(d, WAIT_SCALE);

  /** Renews a certificate, and asserts that the renewal loses no certificate and leaves no TXT value, lease or leftover. */
  async function renew(name: string): Promise<Renewal> {
    const before = (await d.ledger(name)).current ? await d.secret(name) : null;
    const mark = boulder.requests().length;
    const run = await d.renew({ certificate: name, force: true });
    for (const zone of zones) expect(await d.txt(zone)).toEqual({});
    expect(await d.ledger(name)).toMatchObject({ lease: null, leftovers: [] });
    if (before || run.status === 'SUCCEEDED') {
      const { certificate, privateKey, serialNumber } = await d.secret(name);
      expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
      if (run.status === 'SUCCEEDED') expect(serialNumber).not.toBe(before?.serialNumber);
      else expect(serialNumber).toBe(before?.serialNumber);
    }
    return { run, requests: boulder.requests(mark), waited: retriesIn(run) };
  }

  /** Renews a certificate and asserts that the renewal succeeds. */
  async function succeeds(name: string): Promise<Renewal> {
    const renewal = await renew(name);
    expect(renewal.run.cause).toBeUndefined();
    expect(renewal.run.status).toBe('SUCCEEDED');
    expect((await d.ledger(name)).failure).toBeNull();
    return renewal;
  }

  /** Renews and asserts that the renewal fails with this error, which names the certificate, and that the fleet does not retry it early. */
  async function fails(name: string, error: string, words: RegExp): Promise<Renewal> {
    const renewal = await renew(name);
    const { run } = renewal;
    expect(run).toMatchObject({ status: 'FAILED', error });
    expect(run.cause).toMatch(words);
    expect(run.cause).toContain(name);
    const events = (await d.local.aws.busEvents()).filter(
      ({ detailType }) => detailType === 'Certificate Renewal Failed',
    );
    expect(events.at(-1)?.detail).toMatchObject({ certificate: name, error, cause: run.cause });
    expect((await d.ledger(name)).failure?.error).toBe(error);
    const mark = boulder.requests().length;
    await d.fleet();
    await d.idle();
    expect(boulder.requests(mark).filter(({ identifiers }) => identifiers.includes(identifierOf(name)))).toEqual([]);
    return renewal;
  }

  /** Runs `use` with even shorter waits, because the waits of the retry schedule would take seven seconds. */
  async function withShortestWaits(use: () => Promise<void>): Promise<void> {
    await scaleWaits(d, WAIT_SCALE / 10);
    try {
      await use();
    } finally {
      await scaleWaits(d, WAIT_SCALE);
    }
  }

  const cases = { renew, succeeds, fails, withShortestWaits };
  return { d, boulder, zones, identifierOf, during, script, always, behaveAgain, ...cases };
}

/** Returns `retryIn` from each output of *Record failure*. */
function retriesIn({ history }: EndedExecution): number[] {
  return history.flatMap(({ stateExitedEventDetails: exited }) => {
    if (exited?.name !== 'Record failure') return [];
    const { retryIn } = JSON.parse(exited.output ?? '{}').Payload ?? JSON.parse(exited.output ?? '{}');
    return typeof retryIn === 'number' ? [retryIn] : [];
  });
}

const commonNameOf = (pem: string) => /CN=(.+)/.exec(new X509Certificate(pem).subject)?.[1] ?? '';

export const count = (requests: readonly Exchange[], kind: RequestKind) =>
  requests.filter((each) => each.kind === kind).length;

/** Returns the seconds from the last failure of a certificate to its next attempt. */
export async function secondsToNextAttempt(d: Deployed, name: string): Promise<number> {
  const { notBefore, failure } = await d.ledger(name);
  return (Date.parse(notBefore ?? '') - Date.parse(failure?.last ?? '')) / 1000;
}
