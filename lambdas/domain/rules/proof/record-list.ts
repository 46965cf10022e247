/** DNS records in zone file format as one sentence shows them: a record may have quotes, semicolons and a dot at its end. */
export const recordList = (records: readonly string[]): string => records.map((record) => `\`${record}\``).join('; ');
