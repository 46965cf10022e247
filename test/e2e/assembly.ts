import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer } from 'aws-cdk-lib';
import { AssetManifestArtifact, type CloudAssembly } from 'aws-cdk-lib/cx-api';
import { stepFormat } from '../../lambdas/domain/contract/steps.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { run } from '../../local/processes.ts';
import { applyStack } from '../../local/stacks.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * Synthesizes an app with one stack, as `cdk synth` does. It runs in this process, because a child process needs seconds to import
 * aws-cdk-lib. cdk-nag is left out, because other tests check its findings.
 */
export function synthesize(local: LocalEnvironment, addStack: (app: App, synthesizer: IStackSynthesizer) => void) {
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };
  // The validation report of a synthesis would print warnings among the results of the tests.
  const quiet = { ...context, '@aws-cdk/core:annotationsInValidationReport': false };
  const app = new App({ outdir: mkdtempSync(join(local.folder, 'cdk.out-')), context: quiet, treeMetadata: false });
  // The cast is needed because the getters of the class return `undefined` where the interface has optional properties.
  addStack(app, new CliCredentialsStackSynthesizer() as IStackSynthesizer);
  return app.synth();
}

/**
 * Changes an assembly into that of another version of the package, whose workflows and functions have another format of steps. All hashes of
 * functions change too, as they do with a version.
 */
export function changeStepFormat({ directory }: CloudAssembly, format: string): void {
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!/index\.mjs$|\.template\.json$|\.assets\.json$/.test(file)) continue;
    const path = join(directory, file);
    const text = readFileSync(path, 'utf8').replaceAll(stepFormat, format);
    const hashes = file.endsWith('.template.json') ? /\b[0-9a-f]{64}\b/g : /\b[0-9a-f]{64}(?=\.zip)/g;
    writeFileSync(
      path,
      text.replaceAll(hashes, (hash) => [...hash].toReversed().join('')),
    );
  }
}

/**
 * Deploys the stack of an assembly as `cdk deploy` does. It uploads the assets to the bootstrap bucket and then applies the template. It is
 * faster than the command, which needs time to start and waits five seconds between two checks of the stack.
 *
 * @returns the outputs
 * @throws Error with the reasons from CloudFormation
 */
export async function deployAssembly(
  local: LocalEnvironment,
  assembly: CloudAssembly,
): Promise<Readonly<Record<string, string>>> {
  const [stack] = assembly.stacks;
  if (!stack || assembly.stacks.length > 1)
    throw new Error(`The assembly has ${assembly.stacks.length} stacks instead of one.`);
  const urls = await publishAssets(local, assembly);
  return applyStack(local, stack.stackName, { TemplateURL: urls[stack.templateFile] });
}

/** Zipped functions by their key in the bucket. Most functions are the same in all deployments of this process. */
const zipped = new Map<string, Buffer>();

/** Uploads the file assets. @returns their URLs by path in the assembly */
async function publishAssets(local: LocalEnvironment, assembly: CloudAssembly): Promise<Record<string, string>> {
  const manifests = assembly.artifacts.filter((each) => AssetManifestArtifact.isAssetManifestArtifact(each));
  const files = manifests.flatMap(({ contents }) => Object.values(contents.files ?? {}));
  const urls = files.map(async ({ source, destinations }): Promise<[string, string]> => {
    const { path = '', packaging } = source;
    const [{ bucketName = '', objectKey = '' } = {}] = Object.values(destinations);
    const bucket = bucketName
      .replace(/\$\{AWS::AccountId\}/, local.aws.accountId)
      .replace(/\$\{AWS::Region\}/, local.aws.region);
    const full = join(assembly.directory, path);
    const body = packaging === 'zip' ? await zip(local, full, objectKey) : readFileSync(full);
    const url = `${local.aws.endpoint}/${bucket}/${objectKey}`;
    await put(local, url, body);
    return [path, url];
  });
  return Object.fromEntries(await Promise.all(urls));
}

/** Zips a folder with the Python of the local environment, because Node.js has no zip. */
async function zip({ installation }: LocalEnvironment, folder: string, key: string): Promise<Buffer> {
  const known = zipped.get(key);
  if (known) return known;
  const script = 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[1])';
  await run(installation.python, ['-c', script, folder]);
  const made = readFileSync(`${folder}.zip`);
  zipped.set(key, made);
  return made;
}

/** Uploads an object without an SDK client of S3. MiniStack reads the caller from the signature and does not verify it. */
async function put(local: LocalEnvironment, url: string, body: Buffer): Promise<void> {
  const { accessKeyId } = local.clientConfig.credentials;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20270101/${local.aws.region}/s3/aws4_request`;
  const reply = await fetch(url, { method: 'PUT', body: new Uint8Array(body), headers: { authorization } });
  if (!reply.ok) throw new Error(`MiniStack answered ${reply.status} to PUT ${url}: ${await reply.text()}`);
}
