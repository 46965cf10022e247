/** Lists DNS records in zone file format for a sentence. Each is in backticks, because it may have quotes, semicolons and a final dot. */
export const recordList = (records: readonly string[]): string => records.map((record) => `\`${record}\``).join('; ');
