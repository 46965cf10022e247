import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import { consoleLink } from '../executions.ts';
import { dayOf, listed, renewalDue, stateOf, timeLeft } from '../sentences.ts';
import { type Html, html } from './html.ts';
import { type Axis, axisOf, goesOn, timeline } from './timeline.ts';

/** Titles of the columns that the page can sort, and of those that it cannot sort. */
const sortable = ['Name', 'State', 'Lifetime', 'Left', 'Renewal due', 'CA'];
const unsortable = ['Delivered', 'Links'];

/** Returns the table of all certificates with its filters and its key. Each element has its role, because CSS that sets `display` removes it. */
export function certificateTable(certificates: readonly CertificateReport[], now: Date): Html {
  const axis = axisOf(certificates, now);
  const [start, end] = [dayOf(new Date(axis.start).toISOString()), dayOf(new Date(axis.end).toISOString())];
  const isCut = certificates.some((each) => goesOn(each, axis));
  return html`<form>
<div><label for="text">Filter by name, CA or state</label><input id="text" type="search" autocomplete="off"></div>
<div><label for="state">Show</label><select id="state"><option value="">all</option>${Object.entries(kinds).map(([kind, label]) => html`<option value="${kind}">${label}</option>`)}</select></div>
<p class="muted" id="shown" role="status"></p>
</form>
<p class="key muted">
<span>${symbol(html`<rect class="passed" x="2" y="2" width="12" height="10"/><rect class="left" x="14" y="2" width="12" height="10"/>`)} lifetime, passed and left</span>
<span>${symbol(html`<line class="now" x1="14" x2="14" y1="0" y2="14"/>`)} now</span>
<span>${symbol(html`<rect class="window" x="6" y="1" width="16" height="12"/>`)} window of the CA</span>
<span>${symbol(html`<path class="renewal" d="M14 0l3 7l-3 7l-3 -7z"/>`)} renewal</span>
${isCut ? html`<span>${symbol(html`<rect class="left" x="2" y="2" width="16" height="10"/><path class="on" d="M18 0l8 7l-8 7z"/>`)} goes on</span>` : null}
</p>
<table role="table">
<caption>The timelines show ${start} to ${end}. Times are in UTC.</caption>
<thead role="rowgroup"><tr role="row">${sortable.map(
    (title) => html`<th scope="col" role="columnheader"><button type="button">${title}</button></th>`,
  )}${unsortable.map((title) => html`<th scope="col" role="columnheader">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">
${certificates.map((each) => row(each, axis, now))}</tbody>
</table>`;
}

/** What the reader can select, and its labels. */
const kinds = {
  attention: 'needs attention',
  working: 'in progress',
  paused: 'paused',
  due: 'due or failing',
  ok: 'ok',
} as const;

function kindOf({ attention, lease, pausedUntil, failure, action }: CertificateReport): keyof typeof kinds {
  if (attention.length > 0) return 'attention';
  if (lease) return 'working';
  if (pausedUntil) return 'paused';
  return failure || action !== 'none' ? 'due' : 'ok';
}

const symbol = (shapes: Html): Html => html`<svg viewBox="0 0 28 14" aria-hidden="true">${shapes}</svg>`;

function row(certificate: CertificateReport, axis: Axis, now: Date): Html {
  const { name, identifiers, issuer, current, renewalTime, deliveries, attention } = certificate;
  const state = stateOf(certificate, now);
  const inNeed = attention.length > 0;
  const searched = [name, ...identifiers, issuer, state].join(' ').toLowerCase();
  const cell = (content: Html | string, key: string | null = null) =>
    html`<td role="cell"${key === null ? null : html` data-sort="${key}"`}>${content}</td>`;
  return html`<tr role="row" class="later" data-state="${kindOf(certificate)}" data-text="${searched}"><th scope="row" role="rowheader" data-sort="${name}">${name}<span>${listed(identifiers)}</span></th>${[
    cell(inNeed ? html`<span class="needs">⚠ ${state}</span>` : state, `${inNeed ? 0 : 1} ${state}`),
    cell(timeline(certificate, axis, now), current?.notBefore ?? ''),
    cell(timeLeft(certificate, now), current?.notAfter ?? ''),
    cell(renewalDue(certificate, now), renewalTime ?? ''),
    cell(issuer),
    cell(deliveriesOf(deliveries)),
    cell(linksOf(certificate)),
  ]}</tr>
`;
}

const deliveriesOf = (deliveries: CertificateReport['deliveries']): string =>
  [
    'Secrets Manager',
    ...deliveries.map(({ region, current }) => `ACM ${region}${current ? '' : ' (not current)'}`),
  ].join(', ');

function linksOf({ name, current, lease }: CertificateReport): Html {
  const execution = lease?.execution ?? current?.execution;
  return html`${execution ? html`<a href="${consoleLink(execution)}" aria-label="execution of ${name}">execution</a> ` : null}${
    current?.scts
      ? html`<a href="https://crt.sh/?serial=${encodeURIComponent(current.serialNumber)}" aria-label="CT log of ${name}">CT log</a>`
      : null
  }`;
}
