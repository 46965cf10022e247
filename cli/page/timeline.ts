import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import { minuteOf } from '../sentences.ts';
import { type Html, html } from './html.ts';

/** The time that all timelines of a page show, in ms. */
export interface Axis {
  readonly start: number;
  readonly end: number;
}

/** Width and height of a timeline in its own units. Positions have one digit after the point. */
const width = 300;
const height = 22;

const day = 86_400_000;

/** A certificate is shown whole if it lives at most this number of median lifetimes. */
const mostMedians = 4;

/**
 * Returns the axis from the oldest issuance to the last expiry. Certificates that live much longer than most do not extend it, because one of ten years
 * would leave no width for those of 90 days. Without a certificate it shows 90 days around the present.
 */
export function axisOf(certificates: readonly CertificateReport[], now: Date): Axis {
  const present = now.getTime();
  const lifetimes = certificates.flatMap(({ current }) => (current ? [rangeOf(current)] : []));
  if (lifetimes.length === 0) return { start: present - 45 * day, end: present + 45 * day };
  const lengths = lifetimes.map(({ start, end }) => end - start).toSorted((a, b) => a - b);
  const median = lengths[Math.floor((lengths.length - 1) / 2)] ?? 0;
  // A valid certificate began and expires within this time from the present.
  const most = lengths.findLast((length) => length <= mostMedians * median) ?? 0;
  const earliest = lifetimes.reduce((least, { start }) => Math.min(least, start), present);
  const latest = lifetimes.reduce((greatest, { end }) => Math.max(greatest, end), present);
  return { start: Math.max(earliest, present - most), end: Math.max(present + day, Math.min(latest, present + most)) };
}

const rangeOf = ({ notBefore, notAfter }: NonNullable<CertificateReport['current']>): Axis => ({
  start: Date.parse(notBefore),
  end: Date.parse(notAfter),
});

const isOn = ({ start, end }: Axis, time: number): boolean => start <= time && time <= end;

/** Tells whether a certificate is valid before or after the time that the axis shows. */
export function goesOn({ current }: CertificateReport, axis: Axis): boolean {
  if (!current) return false;
  const { start, end } = rangeOf(current);
  return !isOn(axis, start) || !isOn(axis, end);
}

/**
 * Returns the lifetime of a certificate with the window of the CA, the renewal time and the present, and the same as text for screen readers. An arrow
 * marks an end of the lifetime that is not on the axis.
 */
export function timeline({ current, window, renewalTime }: CertificateReport, axis: Axis, now: Date): Html {
  const at = (time: number) => round(((clamped(time, axis) - axis.start) / (axis.end - axis.start)) * width);
  const bar = (kind: string, start: number, end: number) =>
    html`<rect class="${kind}" x="${at(start)}" y="5" width="${round(at(Math.max(start, end)) - at(start))}" height="12"/>`;
  const present = now.getTime();
  const presentLine = html`<line class="now" x1="${at(present)}" x2="${at(present)}" y1="0" y2="${height}"/>`;
  if (!current) return drawing('No certificate was issued', presentLine);

  const { start, end } = rangeOf(current);
  const passed = Math.min(Math.max(present, start), end);
  const arrows = [
    ...(start < axis.start ? [html`<path class="on" d="M8 2l-8 9l8 9z"/>`] : []),
    ...(end > axis.end ? [html`<path class="on" d="M${width - 8} 2l8 9l-8 9z"/>`] : []),
  ];
  const [from, to] = window ? [Date.parse(window.start), Date.parse(window.end)] : [0, 0];
  const windowBox =
    window && from <= axis.end && to >= axis.start
      ? html`<rect class="window" x="${at(from)}" y="2" width="${Math.max(1, round(at(to) - at(from)))}" height="18"/>`
      : null;
  const renewal = renewalTime === null ? null : Date.parse(renewalTime);
  const diamond =
    renewal !== null && isOn(axis, renewal)
      ? html`<path class="renewal" d="M${at(renewal)} 3l2.5 8l-2.5 8l-2.5 -8z"/>`
      : null;
  return drawing(
    [
      `Valid from ${minuteOf(current.notBefore)} to ${minuteOf(current.notAfter)} UTC`,
      ...(renewalTime ? [`renewal due ${minuteOf(renewalTime)} UTC`] : []),
      ...(window ? [`window of the CA ${minuteOf(window.start)} to ${minuteOf(window.end)} UTC`] : []),
    ].join(', '),
    html`${bar('passed', start, passed)}${bar('left', passed, end)}${arrows}${windowBox}${diamond}${presentLine}`,
  );
}

const drawing = (description: string, shapes: Html): Html =>
  html`<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}"><title>${description}</title>${shapes}</svg>`;

const clamped = (time: number, { start, end }: Axis): number => Math.min(Math.max(time, start), end);

const round = (value: number): number => Math.round(value * 10) / 10;
