import { createFleetLedger } from '../adapters/aws/dynamodb/fleet-ledger.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { readConfig } from '../adapters/aws/lambda/deployed-config.ts';
import { createLogger } from '../adapters/aws/lambda/step-log.ts';
import { environment, requireVariable } from '../domain/contract/environment.ts';
import { parseReportInput, type ReportOutput } from '../domain/contract/report.ts';
import { version } from '../domain/contract/version.ts';
import { type DeployedParts, reportCertificates } from './report-certificates.ts';

/**
 * Answers the command line. It reads the ledger and the deployed configuration, and no secret. It runs no step of a workflow, so an operator who
 * may call it can change nothing.
 */
export const handler = async (event: unknown): Promise<ReportOutput> => {
  try {
    const table = requireVariable(process.env, environment.ledgerTable);
    const parts = JSON.parse(requireVariable(process.env, environment.deployment)) as Omit<DeployedParts, 'version'>;
    return await reportCertificates(parseReportInput(event), {
      config: readConfig(),
      parts: { ...parts, version },
      ledger: createLedger({ table }),
      fleetLedger: createFleetLedger({ table }),
      clock,
    });
  } catch (error) {
    createLogger().error('failed', { ...(error instanceof Error ? { error } : { thrown: String(error) }) });
    throw error;
  }
};
