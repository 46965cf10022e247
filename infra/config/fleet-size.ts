import type { DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import { lifetimeOf, renewedAfter, unknownLifetime } from '../../lambdas/domain/rules/certificate/known-profiles.ts';
import type { Report } from './mistakes.ts';

/**
 * Certificates of one deployment. A selection from so many takes 8 s of one vCPU and 400 MB (`bench/fleet.ts`), so 14 s in a function of 1,024 MB.
 * CAs answer 100,000 questions for renewal information within the ten minutes of a run if an answer takes less than 0.18 s.
 */
const mostCertificates = 100_000;

/**
 * Megabytes of `config.json`. The function `check` has 512 MB. A file of 60 MB takes 370 MB while it is parsed. The code package of a function, with
 * this file, may have 250 MB.
 */
const mostMegabytes = 60;

const secondsOfDay = 86_400;

/** Reports a fleet that is too large for one deployment, or whose renewals take longer at this pace than the certificates are valid. */
export function checkFleetSize(
  { certificates, issuers }: DeployedConfig,
  { json, pace }: { readonly json: string; readonly pace: number },
  report: Report,
): void {
  const divide = 'divide the certificates among stacks';
  const found = `found ${number(certificates.length)}`;
  if (certificates.length > mostCertificates) {
    report('certificates', found, `expected at most ${number(mostCertificates)} in a deployment, ${divide}`);
  }
  const megabytes = Buffer.byteLength(json) / 1e6;
  if (megabytes > mostMegabytes) {
    const size = `${found} with ${number(megabytes)} MB of configuration`;
    report(
      'certificates',
      size,
      `expected at most ${mostMegabytes} MB, which fit into the memory of a function, ${divide}`,
    );
  }
  const daily = certificates.reduce((sum, { profile, issuers: [issuer = -1] }) => {
    const lifetime = lifetimeOf(profile, issuers[issuer]?.directoryUrl) ?? unknownLifetime;
    return sum + 24 / renewedAfter(lifetime);
  }, 0);
  const most = pace * secondsOfDay;
  if (daily > most) {
    const work = `found ${pace} renewals a second, which are ${number(most)} a day`;
    report('pace', work, `expected at least ${number(daily)} a day, which these certificates need, or ${divide}`);
  }
}

/** Rounds up, but not because of the last digits of a sum. */
const number = (value: number): string => Math.ceil(value - 1e-6).toLocaleString('en-US');
