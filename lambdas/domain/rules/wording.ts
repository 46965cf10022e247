/**
 * Returns a number with its noun, such as `1 certificate` or `2,500 certificates`. The words for one and for several may have the verb too, such as
 * `certificate needs` and `certificates need`.
 */
export const counted = (count: number, one: string, several = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`;

/** Returns a time in UTC to the minute, such as `2027-01-28 14:05 UTC`. */
export const minuteOf = (time: string): string => `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** A time in RFC 3339 in UTC that is no part of a link or of another word. */
const machineTime = /(?<![\w/:.-])(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z(?![\w/])/g;

/** Returns a sentence for operators with its times in the form of `minuteOf`. Programs read the same sentence with times in RFC 3339. */
export const withMinutes = (sentence: string): string => sentence.replaceAll(machineTime, '$1 $2 UTC');
