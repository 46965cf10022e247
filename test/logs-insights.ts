/** A log event: the line as JSON, and the fields that CloudWatch Logs adds. */
export type LogEvent = Readonly<Record<string, unknown>>;

/** A query of CloudWatch Logs Insights, in the part of its language that the saved queries use. */
export interface ParsedQuery {
  /** Names of the columns, with the fields that each of them shows. */
  readonly columns: readonly { readonly name: string; readonly fields: readonly string[] }[];
  /** Fields that the filter reads. */
  readonly filterFields: readonly string[];
  matches(event: LogEvent): boolean;
}

/**
 * Parses `fields ... | filter ... | sort ... | limit ...`.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 *
 * @throws Error for everything else of the language, because its meaning is not known here
 */
export function parseQuery(text: string): ParsedQuery {
  const commands = text.split('\n| ');
  const [, fields = ''] = /^fields (.+)$/.exec(commands[0] ?? '') ?? [];
  const [, filter = ''] = /^filter (.+)$/.exec(commands[1] ?? '') ?? [];
  if (!fields || !filter || commands[2] !== 'sort @timestamp desc' || !/^limit \d+$/.test(commands[3] ?? ''))
    throw new Error(`Not understood: ${text}`);
  const used: string[] = [];
  const matches = filterOf(filter, used);
  return {
    columns: fields.split(/, (?![^(]*\))/).map(columnOf),
    filterFields: used,
    matches,
  };
}

function columnOf(text: string): ParsedQuery['columns'][number] {
  const [, args, alias] = /^coalesce\((.+)\) as (\w+)$/.exec(text) ?? [];
  if (args && alias) return { name: alias, fields: args.split(', ') };
  if (!/^@?\w+(\.\w+)*$/.test(text)) throw new Error(`Not understood: ${text}`);
  return { name: text, fields: [text] };
}

/** Returns the value of a field such as `error.problem.type`, or `undefined`. */
export const fieldOf = (event: LogEvent, field: string): unknown =>
  field.split('.').reduce<unknown>((value, key) => (value as LogEvent | undefined | null)?.[key], event);

/** Parses comparisons that are connected by `or` and `and`, of which `and` binds closer. No text in them has these words. */
function filterOf(text: string, used: string[]): (event: LogEvent) => boolean {
  const alternatives = text.split(' or ').map((each) => each.split(' and ').map((part) => comparisonOf(part, used)));
  return (event) => alternatives.some((all) => all.every((holds) => holds(event)));
}

/** Parses `field = "text"`, `field in ["text", ...]` or `ispresent(field)`. What other operators do if the field is missing is not documented. */
function comparisonOf(text: string, used: string[]): (event: LogEvent) => boolean {
  const [, present, field = present, value, list] =
    /^(?:ispresent\(([\w.]+)\)|([\w.]+) (?:= ("[^"]*")|in (\[.+\])))$/.exec(text) ?? [];
  if (!field) throw new Error(`Not understood: ${text}`);
  used.push(field);
  if (present) return (event) => (fieldOf(event, present) ?? null) !== null;
  const values = JSON.parse(list ?? `[${value}]`) as readonly unknown[];
  return (event) => values.includes(fieldOf(event, field));
}
