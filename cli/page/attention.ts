import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import { counted, withMinutes } from '../../lambdas/domain/rules/wording.ts';
import { listed, problemKey } from '../sentences.ts';
import { type Html, html } from './html.ts';

/** Descriptions of one problem that are shown. The others are in a list that the reader opens. */
const mostShown = 3;

/** Returns what needs attention. Certificates with the same problem are together, with the cause of each failure. */
export function attention(certificates: readonly CertificateReport[]): Html {
  const inNeed = certificates.filter((each) => each.attention.length > 0);
  if (inNeed.length === 0) return html`<p>No certificate needs attention.</p>`;
  return html`<section aria-labelledby="attention">
<h2 id="attention">${counted(inNeed.length, 'certificate needs', 'certificates need')} attention</h2>
${[...Map.groupBy(inNeed, problemKey).values()].map(problem)}</section>`;
}

function problem(certificates: readonly CertificateReport[]): Html {
  const descriptions = [...Map.groupBy(certificates, descriptionOf)].map(([text, concerned]) =>
    withMinutes(text)
      .split('\n')
      .map(
        (paragraph, index) =>
          html`<p>${index === 0 && concerned.length < certificates.length ? html`<b>${namesOf(concerned)}</b> ` : null}${paragraph}</p>
`,
      ),
  );
  const others = descriptions.slice(mostShown);
  return html`<article class="attention">
<h3>${namesOf(certificates)}</h3>
${descriptions.slice(0, mostShown)}${others.length > 0 ? html`<details><summary>${others.length} more</summary>${others}</details>` : null}
</article>
`;
}

const descriptionOf = ({ attention: sentences, failure }: CertificateReport): string =>
  [sentences.join(' '), ...(failure ? [`${failure.error}: ${failure.cause}`] : [])].join('\n');

const namesOf = (certificates: readonly CertificateReport[]): string => listed(certificates.map(({ name }) => name));
