import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer } from 'aws-cdk-lib';
import { AssetManifestArtifact, type CloudAssembly } from 'aws-cdk-lib/cx-api';
import type { LocalEnvironment } from '../../local/environment.ts';
import { run } from '../../local/processes.ts';
import { applyStack } from '../../local/stacks.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * Synthesizes an app of one stack as `cdk synth` does, but in this process: a child would import aws-cdk-lib for seconds. cdk-nag is left
 * out, since its findings have tests of their own.
 */
export function synthesize(local: LocalEnvironment, addStack: (app: App, synthesizer: IStackSynthesizer) => void) {
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };
  // The command prints warnings, and a synthesis that reports them would print them among the results of the tests.
  const quiet = { ...context, '@aws-cdk/core:annotationsInValidationReport': false };
  const app = new App({ outdir: mkdtempSync(join(local.folder, 'cdk.out-')), context: quiet });
  // The cast: its getters say `undefined` where the interface says optional.
  addStack(app, new CliCredentialsStackSynthesizer() as IStackSynthesizer);
  return app.synth();
}

/**
 * Deploys the stack of an assembly as `cdk deploy` does (assets into the bootstrap bucket, then CloudFormation), without the start of the
 * command and without the five seconds that it waits between two looks at the stack.
 *
 * @returns the outputs
 * @throws Error with the reasons that CloudFormation gives
 */
export async function deployAssembly(
  local: LocalEnvironment,
  assembly: CloudAssembly,
): Promise<Readonly<Record<string, string>>> {
  const [stack] = assembly.stacks;
  if (!stack || assembly.stacks.length > 1) throw new Error(`${assembly.stacks.length} stacks where one is expected`);
  const urls = await publishAssets(local, assembly);
  return applyStack(local, stack.stackName, { TemplateURL: urls[stack.templateFile] });
}

/** Zipped functions by their key in the bucket: most are the same in each deployment of a process. */
const zipped = new Map<string, Buffer>();

/** @returns the URL of each file asset by its path in the assembly */
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

/** With Python, which the local environment brings: Node.js has no zip. */
async function zip({ installation }: LocalEnvironment, folder: string, key: string): Promise<Buffer> {
  const known = zipped.get(key);
  if (known) return known;
  const script = 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[1])';
  await run(installation.python, ['-c', script, folder]);
  const made = readFileSync(`${folder}.zip`);
  zipped.set(key, made);
  return made;
}

/** There is no SDK client of S3 here. MiniStack reads who calls out of the signature, and does not verify it. */
async function put(local: LocalEnvironment, url: string, body: Buffer): Promise<void> {
  const { accessKeyId } = local.clientConfig.credentials;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20270101/${local.aws.region}/s3/aws4_request`;
  const reply = await fetch(url, { method: 'PUT', body: new Uint8Array(body), headers: { authorization } });
  if (!reply.ok) throw new Error(`PUT ${url} answered ${reply.status}: ${await reply.text()}`);
}
