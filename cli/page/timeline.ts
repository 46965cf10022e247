import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import { minuteOf } from '../sentences.ts';
import { type Html, html } from './html.ts';

/** The time that all timelines of a page show, in ms. */
export interface Axis {
  readonly start: number;
  readonly end: number;
}

/** Width of a timeline in its own units. Positions have one digit after the point, so a day of ten years is still visible. */
const width = 400;
const height = 22;

const day = 86_400_000;

/** Returns the axis from the oldest issuance to the last expiry. Without a certificate it shows 90 days around the present. */
export function axisOf(certificates: readonly CertificateReport[], now: Date): Axis {
  const times = certificates.flatMap(({ current }) =>
    current ? [Date.parse(current.notBefore), Date.parse(current.notAfter)] : [],
  );
  if (times.length === 0) return { start: now.getTime() - 45 * day, end: now.getTime() + 45 * day };
  const bounds = times.reduce(({ start, end }, each) => ({ start: Math.min(start, each), end: Math.max(end, each) }), {
    start: now.getTime(),
    end: now.getTime() + day,
  });
  return bounds;
}

const position = (time: number, { start, end }: Axis): number =>
  Math.round(((Math.min(Math.max(time, start), end) - start) / (end - start)) * width * 10) / 10;

/** Returns the lifetime of a certificate with the window of the CA, the renewal time and the present, and the same as text for screen readers. */
export function timeline(certificate: CertificateReport, axis: Axis, now: Date): Html {
  const { current, window, renewalTime } = certificate;
  const at = (time: string | number) => position(typeof time === 'string' ? Date.parse(time) : time, axis);
  const present = at(now.getTime());
  if (!current)
    return html`<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="No certificate was issued"><line class="now" x1="${present}" x2="${present}" y1="0" y2="${height}"/></svg>`;
  const begin = at(current.notBefore);
  const end = at(current.notAfter);
  const passed = Math.min(Math.max(present, begin), end);
  const described = [
    `Valid from ${minuteOf(current.notBefore)} to ${minuteOf(current.notAfter)} UTC`,
    ...(renewalTime ? [`renewal due ${minuteOf(renewalTime)} UTC`] : []),
    ...(window ? [`window of the CA ${minuteOf(window.start)} to ${minuteOf(window.end)} UTC`] : []),
  ].join(', ');
  return html`<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="${described}"><title>${described}</title><rect class="passed" x="${begin}" y="6" width="${round(passed - begin)}" height="10"/><rect class="left" x="${passed}" y="6" width="${round(end - passed)}" height="10"/>${
    window
      ? html`<rect class="window" x="${at(window.start)}" y="3" width="${Math.max(1, round(at(window.end) - at(window.start)))}" height="16"/>`
      : null
  }${
    renewalTime ? html`<path class="renewal" d="M${at(renewalTime)} 3l3.5 8l-3.5 8l-3.5 -8z"/>` : null
  }<line class="now" x1="${present}" x2="${present}" y1="0" y2="${height}"/></svg>`;
}

const round = (value: number): number => Math.round(Math.max(0, value) * 10) / 10;
