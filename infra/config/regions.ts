import { Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { z } from 'zod';
import { suggestion } from '../../lambdas/domain/rules/suggestion.ts';
import { readList, show, takesTokens } from './fields.ts';
import type { Report, Warn } from './mistakes.ts';

const allowedRegion = 'an AWS region such as "us-east-1"';
const regionText = z.string({ error: allowedRegion }).meta(takesTokens);

/** Returns the regions in alphabetical order, each once. Repeated regions are a warning. */
export function checkRegions(
  values: readonly unknown[],
  path: string,
  { ownRegion, report, warn }: { readonly ownRegion: string | undefined; readonly report: Report; readonly warn: Warn },
): readonly string[] {
  const regions = new Set<string>();
  for (const [index, region] of readList(regionText, values, path, report).entries()) {
    if (region === undefined) continue;
    const at = `${path}[${index}]`;
    if (Token.isUnresolved(region)) checkOwnRegion(region, at, { ownRegion, report });
    else if (!knownRegions().has(region)) reportUnknownRegion(region, at, report);
    else if (regions.has(region)) warn('repeatedRegion', at, `${show(region)} repeats an earlier region`);
    regions.add(region);
  }
  return [...regions].sort();
}

/** Only the region of the stack may be a token, because permissions and the configuration are the same text then. */
function checkOwnRegion(
  region: string,
  path: string,
  { ownRegion, report }: { readonly ownRegion: string | undefined; readonly report: Report },
): void {
  if (region !== ownRegion)
    report(path, 'found a CDK token', 'expected a region that is known at synth, or Stack.of(this).region');
}

export function reportUnknownRegion(region: string, path: string, report: Report): void {
  report(path, `unknown region ${show(region)}${suggestion(region, knownRegions())}`, `expected ${allowedRegion}`);
}

let regionNames: ReadonlySet<string> | undefined;
/** Returns the regions that this version of aws-cdk-lib knows. They are read once. */
export function knownRegions(): ReadonlySet<string> {
  regionNames ??= new Set(RegionInfo.regions.map(({ name }) => name));
  return regionNames;
}
