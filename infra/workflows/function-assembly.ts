import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileSystem, Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ConfigError, mistake } from '../config/mistakes.ts';
import { functionsFolder } from './functions-folder.cjs';

/**
 * Copies the bundle and the files beside it into one folder of the cloud assembly. As one asset they are deployed and rolled back together. The name
 * of the folder is the same at each synthesis of the same content.
 *
 * @throws ConfigError if the functions are not built
 */
export function assembleFunction(scope: Construct, name: string, files: Readonly<Record<string, string>>) {
  const bundle = functionsFolder && join(functionsFolder, name, 'index.mjs');
  if (!bundle || !existsSync(bundle))
    throw new ConfigError([
      mistake('cdk-perennial', 'the Lambda functions are not built', 'run "npm run build" in its folder'),
    ]);
  const assembly = Stage.of(scope)?.assetOutdir ?? '';
  const folder = mkdtempSync(join(assembly, 'perennial-'));
  // Not cpSync, because the Plug'n'Play mode of Yarn keeps packages in archives, which cpSync cannot read.
  copyFileSync(bundle, join(folder, 'index.mjs'));
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  const hash = FileSystem.fingerprint(folder);
  const path = join(assembly, `perennial-${name}-${hash}`);
  rmSync(path, { recursive: true, force: true });
  renameSync(folder, path);
  return { path, hash };
}
