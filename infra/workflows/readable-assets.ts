import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { type IAspect, Stage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { IConstruct } from 'constructs';

/**
 * Makes the files of all functions in the cloud assembly readable for every user. Lambda runs a function as another user than the owner of its files,
 * and a build under `umask 077` stages files with mode 0600. The hash of an asset does not cover modes, so an asset with wrong modes would stay in
 * `cdk.out` and in the bucket.
 */
export class ReadableAssets implements IAspect {
  visit(node: IConstruct): void {
    const stage = Stage.of(node);
    if (!stage || !(node instanceof Asset)) return;
    // Without staging, assets of the CDK are in its own folder, which is not changed.
    const path = resolve(stage.outdir, node.assetPath);
    if (path.startsWith(resolve(stage.assetOutdir) + sep)) makeReadable(path);
  }
}

function makeReadable(path: string): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return;
  const isFolder = status.isDirectory();
  const mode = isFolder ? 0o755 : 0o644;
  if ((status.mode & 0o777) !== mode) chmodSync(path, mode);
  if (isFolder) for (const name of readdirSync(path)) makeReadable(join(path, name));
}
