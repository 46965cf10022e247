import { createHash } from 'node:crypto';
import type { Report } from '../deployment.ts';
import { byUrgency, minuteOf } from '../sentences.ts';
import { attention } from './attention.ts';
import { certificateTable } from './certificate-table.ts';
import { Html, html } from './html.ts';

/** Texts of `style.css` and `script.js`. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

/** Returns the report as one HTML page that needs no other file and no network. The clock is that of the report. */
export function page({ deployment, certificates, at }: Report, { style, script }: PageAssets): string {
  const sorted = certificates.toSorted(byUrgency);
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
${attention(sorted)}
${sorted.length > 0 ? certificateTable(sorted, new Date(at)) : html`<p>No certificate is configured.</p>`}
</main>
${sorted.length > 0 ? html`<script>${new Html(script)}</script>` : null}
</body>
</html>
`.text;
}

const hashOf = (content: string): string => `sha256-${createHash('sha256').update(content).digest('base64')}`;
