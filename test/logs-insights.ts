/** A log event: the line as JSON, and the fields that CloudWatch Logs adds. */
export type LogEvent = Readonly<Record<string, unknown>>;

type Expression = (event: LogEvent) => unknown;

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
    matches: (event) => matches(event) === true,
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

/** Parses comparisons that are connected by `or` and `and`, of which `and` binds closer. */
function filterOf(text: string, used: string[]): Expression {
  const tokens = text.match(/"[^"]*"|@?[\w.]+|[^\s\w]/g) ?? [];
  const next = (expected?: string): string => {
    const token = tokens.shift() ?? 'the end';
    if (expected !== undefined && token !== expected) throw new Error(`Expected ${expected}, but found ${token}`);
    return token;
  };
  const field = () => {
    const name = next();
    used.push(name);
    return name;
  };
  const literal = () => JSON.parse(next()) as unknown;
  const list = (): readonly unknown[] => {
    next('[');
    const values = [literal()];
    while (tokens[0] === ',') {
      next(',');
      values.push(literal());
    }
    next(']');
    return values;
  };
  const comparison = (): Expression => {
    if (tokens[0] === 'ispresent') {
      next('ispresent');
      next('(');
      const name = field();
      next(')');
      return (event) => (fieldOf(event, name) ?? null) !== null;
    }
    const name = field();
    const operator = next();
    const values = operator === 'in' ? list() : operator === '=' ? [literal()] : undefined;
    if (!values) throw new Error(`Not understood: ${operator}`);
    return (event) => values.includes(fieldOf(event, name));
  };
  const connected = (word: string, part: () => Expression, join: 'some' | 'every') => (): Expression => {
    const parts = [part()];
    while (tokens[0] === word) {
      next(word);
      parts.push(part());
    }
    return (event) => parts[join]((each) => each(event) === true);
  };
  const whole = connected('or', connected('and', comparison, 'every'), 'some')();
  if (tokens.length > 0) throw new Error(`Not understood: ${tokens.join(' ')}`);
  return whole;
}
