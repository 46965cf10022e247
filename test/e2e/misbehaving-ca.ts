import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect } from 'vitest';
import type { EndedExecution } from '../../local/executions.ts';
import type { Boulder, Exchange } from '../boulder/boulder.ts';
import type { RequestKind } from '../boulder/exchange.ts';
import { type Behaviour, type Matcher, overloaded } from '../boulder/misbehaviour.ts';
import type { Deployed } from './deployed.ts';
import { scaleWaits } from './observed.ts';
import { deployedThroughBoulder } from './through-boulder.ts';

/** A minute of a workflow takes 60 ms. */
export const WAIT_SCALE = 0.001;
const zones = ['example.com', 'example.net'];
const externalAccountKey = {
  kid: 'key-1',
  hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W',
};

export interface Cases {
  /** One certificate for each case. The first deployment issues it, unless it is in `unissued`. */
  readonly names: readonly string[];
  /** The CA refuses their first order, so that there is something to prove later. */
  readonly unissued: readonly string[];
  /** Issued more than twice in a test. */
  readonly uncapped?: readonly string[];
}

/** A renewal and what it did. */
export interface Renewal {
  readonly run: EndedExecution;
  readonly requests: readonly Exchange[];
  /** Seconds until each retry, as *Record failure* gave them. */
  readonly waited: readonly number[];
}

export type MisbehavingCa = Awaited<ReturnType<typeof startMisbehavingCa>>;

/** Deploys one certificate for each case with a CA that misbehaves as a test says. */
export async function startMisbehavingCa({ names, unissued, uncapped = [] }: Cases) {
  // Half of them in each zone: the CA issues fifty certificates a week for a domain.
  const identifierOf = (name: string) => `${name}.${zones[names.indexOf(name) % 2]}`;
  const certificates = names.map((name) => ({
    name,
    identifiers: [identifierOf(name)],
    // Without a profile Pebble takes any, and certificates of a week have a shorter retry schedule.
    profile: 'default',
    ignoreIssueCap: uncapped.includes(name),
  }));
  const endings: (() => void)[] = [];
  const during = (matcher: Matcher, behaviour: Behaviour, times = Number.POSITIVE_INFINITY): void => {
    endings.push(boulder.next(matcher, behaviour, times));
  };
  const behaveAgain = (): void => {
    for (const end of endings.splice(0)) end();
  };
  /** Scripts the replies to this certificate's requests of one kind. */
  const script = (name: string, kind: RequestKind, behaviour: Behaviour, times = 1): void =>
    // A nonce is for the request that comes next, whichever it is.
    during(kind === 'newNonce' ? kind : { kind, identifier: identifierOf(name) }, behaviour, times);
  const always = (name: string, kind: RequestKind, behaviour: Behaviour): void =>
    script(name, kind, behaviour, Number.POSITIVE_INFINITY);

  let boulder!: Boulder;
  const d = await deployedThroughBoulder(
    async (local, started) => {
      boulder = started;
      for (const name of unissued) always(name, 'newOrder', overloaded(90_000));
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
  // Only now: with waits of milliseconds the executions of the first deployment would poll without a pause.
  await scaleWaits(d, WAIT_SCALE);

  /** Renews, and checks what has to hold however the renewal ends. */
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

  async function succeeds(name: string): Promise<Renewal> {
    const renewal = await renew(name);
    expect(renewal.run.cause).toBeUndefined();
    expect(renewal.run.status).toBe('SUCCEEDED');
    expect((await d.ledger(name)).failure).toBeNull();
    return renewal;
  }

  /** The renewal ends in this error and names the certificate or its identifier. The fleet does not retry it before its time. */
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

  /** For the retry schedule, whose waits are two hours: seven seconds here otherwise. */
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

/** `retryIn` of each *Record failure*. */
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

/** The seconds from the last failure of a certificate to its next try. */
export async function secondsToNextTry(d: Deployed, name: string): Promise<number> {
  const { notBefore, failure } = await d.ledger(name);
  return (Date.parse(notBefore ?? '') - Date.parse(failure?.last ?? '')) / 1000;
}
