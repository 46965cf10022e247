import type { ZoneRole } from '../../lambdas/domain/contract/config.ts';
import type { Tags } from '../../lambdas/domain/contract/environment.ts';
import { FakeAcm } from './acm.ts';
import { FakeAuthoritativeDns } from './authoritative-dns.ts';
import { FakeAcme, FakeCa } from './certificate-authority.ts';
import { makePrivateKey } from './certificates.ts';
import { FakeClock, FakeFleetMetrics, FakeLog } from './clock.ts';
import { FakeEventBus } from './event-bus.ts';
import { FakeExecutions } from './executions.ts';
import { FakeFleetLedger } from './fleet-ledger.ts';
import { FakeHostedZones } from './hosted-zones.ts';
import { FakeLedger } from './ledger.ts';
import { FakeNameServers } from './name-servers.ts';
import { CallRecorder } from './recorder.ts';
import { FakeRenewalInfos } from './renewal-infos.ts';
import { FakeAccountSecrets, FakeCertificateSecrets, FakeExternalAccountKeys } from './secrets.ts';
import { FakeTlsEndpoints } from './tls-endpoints.ts';

/**
 * Creates fakes of all ports that a step can use. `tags` are the operator's. Steps get `ports`, which records calls. Tests read and set the fakes
 * beside it.
 */
export function createWorld({ now = '2026-03-01T12:00:00Z', tags = {} as Tags } = {}) {
  const calls = new CallRecorder();
  const clock = new FakeClock(now);
  const log = new FakeLog();
  const metrics = new FakeFleetMetrics();
  const ledger = new FakeLedger();
  const fleetLedger = new FakeFleetLedger(ledger);
  const secrets = new FakeCertificateSecrets(() => clock.now());
  const accounts = new FakeAccountSecrets();
  const hostedZones = new FakeHostedZones();
  const nameServers = new FakeNameServers();
  const dns = new FakeAuthoritativeDns();
  const executions = new FakeExecutions();
  const events = new FakeEventBus();
  const renewalInfos = new FakeRenewalInfos();
  const tlsEndpoints = new FakeTlsEndpoints();
  const acm = new FakeAcm();
  const externalAccountKeys = new FakeExternalAccountKeys();
  for (const tagged of [secrets, accounts, acm]) tagged.tags = tags;
  const ca = new FakeCa(clock);
  const acme = new FakeAcme(ca, calls);
  const ports = {
    clock,
    log,
    metrics,
    tags,
    ledger: calls.watch('ledger', ledger),
    fleetLedger: calls.watch('fleetLedger', fleetLedger),
    secrets: calls.watch('secrets', secrets),
    accounts: calls.watch('accounts', accounts),
    hostedZones: calls.watch('hostedZones', hostedZones),
    hostedZonesAs: (role?: ZoneRole) => calls.watch('hostedZones', hostedZones.as(role)),
    nameServers: calls.watch('nameServers', nameServers),
    dns: calls.watch('dns', dns),
    executions: calls.watch('executions', executions),
    events: calls.watch('events', events),
    renewalInfos: calls.watch('renewalInfos', renewalInfos),
    tlsEndpoints: calls.watch('tlsEndpoints', tlsEndpoints),
    acm: calls.watch('acm', acm),
    acme: calls.watch('acme', acme),
    externalAccountKey: calls.watch('externalAccountKeys', externalAccountKeys).read,
    newPrivateKey: async (keyType: Parameters<typeof makePrivateKey>[0]) => makePrivateKey(keyType),
  };
  return {
    calls,
    clock,
    log,
    metrics,
    ledger,
    fleetLedger,
    secrets,
    accounts,
    externalAccountKeys,
    hostedZones,
    nameServers,
    dns,
    executions,
    events,
    renewalInfos,
    tlsEndpoints,
    acm,
    ca,
    acme,
    ports,
  };
}

export type World = ReturnType<typeof createWorld>;
