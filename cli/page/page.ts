import { createHash } from 'node:crypto';
import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import type { Report } from '../deployment.ts';
import { consoleLink } from '../executions.ts';
import { dayOf, listed, minuteOf, renewalDue, stateOf, timeLeft } from '../sentences.ts';
import { Html, html } from './html.ts';
import { type Axis, axisOf, timeline } from './timeline.ts';

/** Texts of `style.css` and `script.js`. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

/** Returns the report as one HTML page that needs no other file and no network. The clock is that of the report. */
export function page(report: Report, { style, script }: PageAssets): string {
  const { deployment, certificates, at } = report;
  const now = new Date(at);
  const axis = axisOf(certificates, now);
  const inNeed = certificates.filter(needsAttention);
  const sorted = [...inNeed, ...certificates.filter((each) => !needsAttention(each))];
  // The page runs its own script and no other one, even if a value were not escaped.
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Certificates of stack ${deployment.stack}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>Certificates of stack ${deployment.stack}</h1>
<p class="muted">${deployment.region}, account ${deployment.account}, version ${deployment.version}, as of <time datetime="${at}">${minuteOf(at)} UTC</time></p>
</header>
<main>
${attentionOf(inNeed)}
${certificates.length > 0 ? tableOf(sorted, axis, now) : html`<p>No certificate is configured.</p>`}
</main>
${certificates.length > 0 ? html`<script>${new Html(script)}</script>` : null}
</body>
</html>
`.text;
}

const needsAttention = ({ attention }: CertificateReport): boolean => attention.length > 0;

const hashOf = (content: string): string => `sha256-${createHash('sha256').update(content).digest('base64')}`;

/** Problems that are described at the top. The table has all certificates. */
const mostDescribed = 20;

function attentionOf(inNeed: readonly CertificateReport[]): Html {
  if (inNeed.length === 0) return html`<p>No certificate needs attention.</p>`;
  const groups = [...Map.groupBy(inNeed, problemOf)];
  const more = groups.length - mostDescribed;
  return html`<section aria-labelledby="attention">
<h2 id="attention">${inNeed.length === 1 ? '1 certificate needs attention' : `${inNeed.length} certificates need attention`}</h2>
${groups.slice(0, mostDescribed).map(
  ([problem, certificates]) => html`<article class="attention">
<h3>${listed(certificates.map(({ name }) => name))}</h3>
${problem.split('\n').map((paragraph) => html`<p>${paragraph}</p>`)}
</article>
`,
)}${more > 0 ? html`<p>${more} more problems are at the top of the table.</p>` : null}
</section>`;
}

/** Returns the text of a problem. Certificates that fail by one cause have the same text, and are described once. */
const problemOf = ({ attention, failure }: CertificateReport): string =>
  [attention.join(' '), ...(failure ? [`${failure.error}: ${failure.cause}`] : [])].join('\n');

function tableOf(certificates: readonly CertificateReport[], axis: Axis, now: Date): Html {
  return html`<form>
<div><label for="text">Filter by name, CA or state</label><input id="text" type="search" autocomplete="off"></div>
<div><label for="state">Show</label><select id="state"><option value="">all</option><option value="attention">needs attention</option><option value="working">in progress</option><option value="ok">ok</option></select></div>
<p class="muted" id="shown" role="status"></p>
</form>
<p class="legend muted">
<span>${key(html`<rect class="passed" x="2" y="3" width="12" height="8"/><rect class="left" x="14" y="3" width="12" height="8"/>`)} lifetime, passed and left</span>
<span>${key(html`<line class="now" x1="14" x2="14" y1="0" y2="14"/>`)} now</span>
<span>${key(html`<rect class="window" x="6" y="1" width="16" height="12"/>`)} window of the CA</span>
<span>${key(html`<path class="renewal" d="M14 0l4 7l-4 7l-4 -7z"/>`)} renewal</span>
</p>
<div class="scroll" role="region" aria-label="Certificates" tabindex="0">
<table>
<caption>The timelines show ${dayOf(new Date(axis.start).toISOString())} to ${dayOf(new Date(axis.end).toISOString())}. Times are in UTC.</caption>
<thead><tr>${['Name', 'State', 'Lifetime', 'Left', 'Renewal due', 'CA', 'Delivered', 'Links'].map(
    (title, index) => html`<th scope="col">${index < 6 ? html`<button type="button">${title}</button>` : title}</th>`,
  )}</tr></thead>
<tbody>
${certificates.map((each) => rowOf(each, axis, now))}</tbody>
</table>
</div>`;
}

const key = (shapes: Html): Html => html`<svg viewBox="0 0 28 14" aria-hidden="true">${shapes}</svg>`;

function rowOf(certificate: CertificateReport, axis: Axis, now: Date): Html {
  const { name, identifiers, issuer, current, renewalTime, deliveries } = certificate;
  const state = stateOf(certificate, now);
  const inNeed = needsAttention(certificate);
  const kind = inNeed ? 'attention' : certificate.lease ? 'working' : 'ok';
  const searched = [name, ...identifiers, issuer, state].join(' ').toLowerCase();
  return html`<tr data-state="${kind}" data-text="${searched}"><th scope="row" data-sort="${name}">${name}<span>${listed(identifiers)}</span></th><td data-sort="${inNeed ? 0 : 1} ${state}">${
    inNeed ? html`<span class="needs">⚠ ${state}</span>` : state
  }</td><td data-sort="${current?.notBefore ?? ''}">${timeline(certificate, axis, now)}</td><td data-sort="${current?.notAfter ?? ''}">${timeLeft(certificate, now)}</td><td data-sort="${renewalTime ?? ''}">${renewalDue(certificate, now)}</td><td>${issuer}</td><td>${deliveriesOf(deliveries)}</td><td>${linksOf(certificate)}</td></tr>
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
