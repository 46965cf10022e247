import type { QuotaName } from './quotas.ts';

/** A call of a service. */
export interface ServiceCall {
  /** The bucket of the service. `null` for servers without a published quota. */
  readonly quota: QuotaName | null;
  /** Time until the reply in ms. It is typical and not published. */
  readonly takes: number;
}

const call = (quota: QuotaName | null, takes: number): ServiceCall => ({ quota, takes });
const readsItem = call('dynamodb:read', 15);
const writesItem = call('dynamodb:write', 15);
const readsSecret = call('secretsmanager:read', 30);
const writesSecret = call('secretsmanager:write', 60);
const route53 = call('route53', 150);
const asksCa = call('acme:request', 400);
const dns = call(null, 60);

/** The calls of services behind each call of a port, by the name that the fakes record. */
const calls: Readonly<Record<string, readonly ServiceCall[]>> = {
  'ledger.certificate': [readsItem],
  'ledger.busyReply': [readsItem],
  'ledger.issues': [readsItem],
  'ledger.identifierFailures': [readsItem],
  'ledger.account': [readsItem],
  'ledger.assertLease': [readsItem],
  'ledger.takeLease': [writesItem, writesItem],
  'ledger.release': [readsItem, writesItem, writesItem],
  'ledger.debitOrder': [readsItem, writesItem],
  'secrets.describe': [readsSecret],
  'secrets.create': [writesSecret],
  'secrets.stageKey': [writesSecret],
  'secrets.stagedKey': [readsSecret, readsSecret],
  'secrets.isCompromised': [readsSecret],
  'secrets.readCurrent': [readsSecret],
  'secrets.share': [readsSecret],
  'secrets.putCertificate': [writesSecret],
  'secrets.makeCurrent': [writesSecret],
  'accounts.read': [readsSecret],
  'accounts.create': [writesSecret],
  'accounts.saveUrl': [writesSecret],
  'hostedZones.readTxt': [route53],
  'hostedZones.change': [route53],
  'hostedZones.pendingChanges': [route53],
  'hostedZones.nameServers': [route53],
  'acm.find': [call('acm:DescribeCertificate', 100), call('acm:ListTagsForCertificate', 100)],
  'acm.similar': [call('acm:ListCertificates', 150)],
  'acm.import': [call('acm:ImportCertificate', 500)],
  'acme.newAccount': [asksCa],
  'ca.newOrder': [call('acme:newOrder', 400)],
  'ca.finalize': [call('acme:request', 1500)],
  'tlsEndpoints.shown': [dns],
  'renewalInfos.fetch': [call('acme:renewalInfo', 100)],
};

/** Returns the calls behind a call of a port. A port that the table does not have is an error, so that the model stays complete. */
export function serviceCalls(portCall: string): readonly ServiceCall[] {
  const known = calls[portCall];
  if (known) return known;
  const [port, method = ''] = portCall.split('.');
  if (port === 'ledger' && /^(save|record|count|refund|remove|drop|mark)/.test(method)) return [writesItem];
  if (port === 'ca') return [asksCa];
  if (port === 'dns' || port === 'nameServers') return [dns];
  throw new Error(`The model does not know which services ${portCall} calls. Add it to service-calls.ts.`);
}
