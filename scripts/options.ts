/** Values of command-line options: checked where they are read, so that wrong ones are wrong usage and not a strange failure later. */
import { InvalidArgumentError } from 'commander';

/** A TCP port, 0 for a free one. */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535 || text.trim() === '')
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return value;
}

/** A number from `least` to `most`; `above`: from just above `least`; `whole`: without a fraction. */
export function numberFrom(least: number, most: number, kind?: 'above' | 'whole'): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const fits = (kind === 'above' ? value > least : value >= least) && value <= most;
    if (text.trim() !== '' && fits && (kind !== 'whole' || Number.isInteger(value))) return value;
    const range = kind === 'above' ? `above ${least}, at most ${most}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It is a ${kind === 'whole' ? 'whole ' : ''}number ${range}.`);
  };
}

/** Names parted by commas, each one of these. */
export function someOf<T extends string>(names: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((given) => {
      const name = names.find((one) => one === given.trim());
      if (name === undefined) throw new InvalidArgumentError(`There are ${names.join(', ')}.`);
      return name;
    });
}

/** A time in seconds above 0, at most an hour. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError('It is a number of seconds above 0, at most 3600.');
  return value;
}
