import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, inject, test } from 'vitest';
import { functions } from '../../build/functions.ts';

const root = join(import.meta.dirname, '..', '..');
const { files, size, repository, consumer } = inject('packed');
const folder = dirname(consumer);
const library = join(consumer, 'node_modules', 'cdk-perennial');

const typeScriptApp = `import { App, Stack } from 'aws-cdk-lib';
import { CertificateRenewal, type CertificateRenewalProps, letsEncryptStaging } from 'cdk-perennial';
const certificates: CertificateRenewalProps['certificates'] = [{ name: 'www', identifiers: ['example.com'], acm: ['us-east-1'] }];
const hostedZones = [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }];
new CertificateRenewal(new Stack(new App(), 'Site'), 'Certificates', { issuer: letsEncryptStaging({ termsOfServiceAgreed: true }), hostedZones, certificates });
`;
const javaScriptApp = typeScriptApp
  .replace(/ type \w+,/, '')
  .replace(/: CertificateRenewalProps\['certificates'\]/, '');

/** Runs an app as the `cdk` command does. @returns the templates of its stacks, and the output folder */
async function synthesize(cwd: string, file: string, app: string, ...flags: readonly string[]) {
  writeFileSync(join(cwd, file), app);
  const out = join(folder, `${file}.out`);
  const env = { ...process.env, CDK_OUTDIR: out };
  const printed = await promisify(execFile)(process.execPath, [...flags, file], { cwd, env });
  expect(printed).toEqual({ stdout: '', stderr: '' });
  const templates = globSync('*.template.json', { cwd: out }).map((each) => readFileSync(join(out, each), 'utf8'));
  expect(templates).not.toEqual([]);
  return { out, template: templates.join('\n') };
}

/** Returns the complete apps that README and docs show. */
function documentedApps(): readonly string[] {
  const pages = ['README.md', ...globSync('docs/*.md', { cwd: library })];
  const blocks = pages.flatMap((page) =>
    [...readFileSync(join(library, page), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code),
  );
  return blocks.filter((code) => code.includes("'aws-cdk-lib'") && code.includes("'cdk-perennial'"));
}

function run(cwd: string, code: string, ...flags: readonly string[]): string {
  const args = [...flags, '--input-type=module', '--eval', code];
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Returns the anchors of the headings, as GitHub and npm generate them. */
function anchorsOf(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, words = '']) =>
    words
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

describe('the package', () => {
  test('contains only the library, the functions, the command line, the schemas, the licences, the docs and the examples', async ({
    annotate,
  }) => {
    await annotate(`${files.length} files, ${(size / 1_000_000).toFixed(2)} MB packed: ${files.join(', ')}`);
    const expected = [
      /^dist\/(infra|lambdas\/domain)\/[\w/-]+\.(js|d\.ts)$/,
      /^schemas\/[\w-]+\.schema\.json$/,
      /^docs\/[\w-]+\.md$/,
      /^docs\/images\/[\w-]+\.svg$/,
      /^examples\/[\w-]+\/(site\/)?[\w@-]+(\.(md|ts|json|yaml|html|service|timer))?$/,
    ];
    expect(files.filter((path) => !expected.some((each) => each.test(path))).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'RUNBOOK.md',
      'SECURITY.md',
      'dist/cli/THIRD-PARTY-NOTICES.txt',
      'dist/cli/command-line.mjs',
      'dist/cli/main.mjs',
      'dist/cli/page/script.js',
      'dist/cli/page/style.css',
      'dist/functions/THIRD-PARTY-NOTICES.txt',
      ...functions.map((name) => `dist/functions/${name}/index.mjs`).toSorted(),
      'dist/infra/workflows/functions-folder.cjs',
      'dist/package.json',
      'package.json',
    ]);
    expect(files).toContain('dist/infra/index.js');
    expect(files).toContain('dist/infra/index.d.ts');
  });

  test('has no broken links in its Markdown files', () => {
    const texts = files.filter((path) => path.endsWith('.md'));
    const links = texts.flatMap((text) => {
      const found = readFileSync(join(library, text), 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g);
      return [...found].map(([, path = '', anchor]) => ({ text, path, anchor }));
    });
    expect(links.length).toBeGreaterThan(50);
    const broken = links.filter(({ text, path, anchor }) => {
      const target = path === '' ? join(library, text) : join(library, dirname(text), path);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('is smaller than 2.2 megabytes', () => {
    expect(size / 1_000_000).toBeLessThan(2.2);
  });

  test('has entry points that every tool resolves', async () => {
    const { messages, pkg } = await publint({ pkgDir: library, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  test('depends only on packages that its code imports', () => {
    const files = readdirSync(join(library, 'dist'), { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => /\.c?js$/.test(file))
      .map((file) => readFileSync(join(library, 'dist', file), 'utf8'));
    const imported = sources.flatMap((code) => [
      ...code.matchAll(/\brequire\("([^."][^"]*)"\)|\brequire\('([^.'][^']*)'\)/g),
    ]);
    const names = imported.map(([, double = '', path = double]) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path);
    const { dependencies, peerDependencies } = readJson(join(library, 'package.json')) as Record<string, object>;
    const allowed = Object.keys({ ...dependencies, ...peerDependencies });
    expect([...new Set(names)].filter((name) => !name.startsWith('node:')).toSorted()).toEqual(allowed.toSorted());
  });
});

describe('an app of five lines that uses the package', () => {
  test('has the same template in TypeScript, in JavaScript and with the sources', async () => {
    const [{ out, template }, ...others] = await Promise.all([
      synthesize(consumer, 'site.ts', typeScriptApp),
      synthesize(consumer, 'site.js', javaScriptApp),
      synthesize(repository, 'from-sources.ts', typeScriptApp, '--conditions=perennial-source'),
    ]);
    expect(others.map((other) => other.template === template)).toEqual([true, true]);
    expect(template).toContain('"AWS::StepFunctions::StateMachine"');
    const assets = readdirSync(out).filter((name) => name.startsWith('asset.'));
    // The app has no notifications, so it deploys no function for them.
    const deployed = functions.filter((name) => name !== 'notification');
    expect(assets.map((name) => readdirSync(join(out, name)).includes('index.mjs'))).toEqual(deployed.map(() => true));
  });

  test('is synthesized, and so is every app exactly as the docs show it', async () => {
    const apps = documentedApps().map((code, index) => synthesize(consumer, `documented-${index}.ts`, code));
    expect(apps).toHaveLength(2);
    const made = await Promise.allSettled(apps);
    // The reasons contain the output of each failed app.
    expect(made.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))).toEqual([]);
  });

  test('is type-checked like the examples and the apps in the docs, and a mistake is reported', () => {
    const apps = documentedApps();
    expect(apps).toHaveLength(2);
    const reader = `import { parseCertificateSecret } from 'cdk-perennial/secret';
export const key: string = parseCertificateSecret('').privateKey;
`;
    const files: Readonly<Record<string, string>> = {
      ...Object.fromEntries(apps.map((code, index) => [`documented-${index}.ts`, code])),
      'five-lines.ts': typeScriptApp,
      'reader.ts': reader,
      'mistaken.ts': typeScriptApp.replace('acm:', 'acme:'),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'esnext',
          strict: true,
          noEmit: true,
          allowImportingTsExtensions: true,
          types: ['node'],
          typeRoots: [join(root, 'node_modules', '@types')],
        },
        include: ['*.ts', 'examples/**/*.ts'],
      }),
    };
    // In a folder of its own, because apps of other tests would read this tsconfig.json.
    const cwd = mkdtempSync(join(consumer, 'checked-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    cpSync(join(root, 'examples'), join(cwd, 'examples'), { recursive: true });
    expect(globSync('examples/**/*.ts', { cwd })).not.toEqual([]);
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = spawnSync(tsc, { cwd, encoding: 'utf8' });
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^mistaken\.ts\(3,.*'acme'/)]);
  });
});

describe('an import', () => {
  test('of the library prints nothing, writes no file, starts no process, reads no environment and opens no handle', () => {
    // Other tests write into the parent folder, from which Node.js finds the library.
    const empty = mkdtempSync(join(consumer, 'import-'));
    const printed = run(
      empty,
      `Error.stackTraceLimit = Infinity;
       const found = [];
       // The module loader of Node.js reads these two for CommonJS modules.
       const ofLoader = ['WATCH_REPORT_DEPENDENCIES', 'NODE_V8_COVERAGE'];
       const note = (name) => { if (!ofLoader.includes(name) && /node_modules.cdk-perennial/.test(new Error().stack)) found.push(String(name)); };
       process.env = new Proxy(process.env, {
         get: (env, name) => (note(name), Reflect.get(env, name)),
         has: (env, name) => (note(name), Reflect.has(env, name)),
         ownKeys: (env) => (note('all'), Reflect.ownKeys(env)),
       });
       const open = () => (process.stdout.fd, process.stderr.fd, process.getActiveResourcesInfo().length);
       const before = open();
       await import('cdk-perennial');
       if (open() > before) found.push('an open handle');
       if (found.length > 0) console.log(found);`,
      // With these flags, code that writes a file or starts a process or thread throws an error.
      '--permission',
      '--allow-fs-read=*',
    );
    expect(printed).toBe('');
    expect(readdirSync(empty)).toEqual([]);
  });

  test("of the secret's parser needs no other package, not even the CDK", () => {
    const alone = join(folder, 'alone');
    cpSync(library, join(alone, 'node_modules', 'cdk-perennial'), { recursive: true });
    const code = `import { parseCertificateSecret } from 'cdk-perennial/secret';
      try { parseCertificateSecret('{"format":0}'); } catch ({ reason }) { console.log(reason); }`;
    expect(run(alone, code)).toBe('empty\n');
    expect(() => run(alone, "import 'cdk-perennial';")).toThrow("Cannot find module 'aws-cdk-lib'");
  });

  test.each(readdirSync(join(root, 'schemas')))('of the schema %s resolves', (schema) => {
    const code = `import schema from 'cdk-perennial/schemas/${schema}' with { type: 'json' }; console.log(schema.title);`;
    expect(run(consumer, code)).not.toBe('');
  });
});
