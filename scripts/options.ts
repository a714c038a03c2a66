/** Values of command-line options: checked where they are read, so that wrong ones are wrong usage and not a strange failure later. */
import { InvalidArgumentError } from 'commander';

/** A TCP port, 0 for a free one. */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535 || text.trim() === '')
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return value;
}

/** A time in seconds above 0, at most an hour. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError('It is a number of seconds above 0, at most 3600.');
  return value;
}
