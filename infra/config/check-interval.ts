const second = { minute: 60, hour: 3600, day: 86_400 } as const;
const day = 24 * 60;

/**
 * Seconds between two runs of an EventBridge Scheduler expression, at most: exact for `rate(...)`; for `cron(...)` the longest gap of
 * four years (and up to a week more where L, W or # choose the day). `null`: it cannot be read.
 */
export function checkInterval(schedule: string): number | null {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule) ?? [];
  if (count && unit) return Number(count) * second[unit as keyof typeof second];
  const fields = /^cron\(([^()]+)\)$/.exec(schedule)?.[1]?.trim().split(/\s+/);
  return fields?.length === 6 ? longestGap(fields) : null;
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** The year is passed over: a schedule that ends has no longest gap. */
function longestGap([minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '']: readonly string[]) {
  const chosenDay = /[LW#]/.test(dayOfMonth.replaceAll(/[A-Z]{3}/g, '') + dayOfWeek.replaceAll(/[A-Z]{3}/g, ''));
  const [minutes, hours] = [numbers(minute, 0, 59), numbers(hour, 0, 23)];
  const inMonths = numbers(month, 1, 12, months);
  const onDays = chosenDay ? [1] : numbers(dayOfMonth, 1, 31);
  const onWeekdays = chosenDay ? numbers('?', 1, 7) : numbers(dayOfWeek, 1, 7, weekdays);
  if (!minutes || !hours || !inMonths || !onDays || !onWeekdays) return null;

  const times = hours.flatMap((each) => minutes.map((minuteOfHour) => each * 60 + minuteOfHour));
  const [first = 0, last = first] = [times[0], times.at(-1)];
  let longest = Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  let previous: number | undefined;
  // Nine years: each gap of a cycle of four years lies in it whole.
  for (let index = 0; index < 9 * 366; index++) {
    const date = new Date(Date.UTC(2025, 0, 1 + index));
    const [dom, dow] = [date.getUTCDate(), date.getUTCDay() + 1];
    if (!inMonths.includes(date.getUTCMonth() + 1) || !onDays.includes(dom) || !onWeekdays.includes(dow)) continue;
    if (previous !== undefined) longest = Math.max(longest, (index - previous) * day + first - last);
    previous = index;
  }
  // The first Monday and the like move within a week.
  return previous === undefined ? null : (longest + (chosenDay ? 7 * day : 0)) * 60;
}

/** The ascending numbers of a field: `*`, `?`, `5`, `1-5`, `0/6`, lists of them; `null`: something else. */
function numbers(field: string, from: number, to: number, names: readonly string[] = []): number[] | null {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [, start = '', end, step] = /^(\*|\?|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    const any = start === '*' || start === '?';
    const first = any ? from : numberOf(start, names);
    const last = end !== undefined ? numberOf(end, names) : any || step !== undefined ? to : first;
    if (!(first >= from && first <= to && last >= from && last <= to) || step === '0') return null;
    // FRI-MON goes over the end.
    const span = last >= first ? last - first : last - first + (to - from + 1);
    for (let offset = 0; offset <= span; offset += Number(step ?? 1)) {
      found.add(from + ((first + offset - from) % (to - from + 1)));
    }
  }
  return [...found].sort((a, b) => a - b);
}

function numberOf(text: string, names: readonly string[]): number {
  const index = names.indexOf(text.toUpperCase());
  return index === -1 ? Number(text || Number.NaN) : index + 1;
}
