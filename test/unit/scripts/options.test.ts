/** Values of options, over every command: one that is no number, or no name of the list, is wrong usage (2) and not a strange failure later. */
import type { Command, Option } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidInput } from '../../../protocol/errors.ts';
import { buildProgram, ENTRIES, runCli } from '../../../scripts/program.ts';

/** What stands between the brackets of an option that takes a number. */
const NUMERIC = /<(number|count|seconds|minutes|hours|days|ms|port|seed|dB|metres|frames|list)>|<seed\.\.\.>/;

async function everyOption(): Promise<(readonly [string, Option])[]> {
  const found: (readonly [string, Option])[] = [];
  const walk = (command: Command, words: string) => {
    for (const option of command.options) found.push([`${words} ${option.flags}`, option] as const);
    for (const inner of command.commands) walk(inner, `${words} ${inner.name()}`);
  };
  for (const { name } of ENTRIES) {
    const program = await buildProgram(name);
    walk(program.commands.find((one) => one.name() === name)!, name);
  }
  return found;
}

const refused = (parse: () => unknown): boolean => {
  try {
    parse();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'commander.invalidArgument' || isBadOption(error);
  }
};
const isBadOption = (error: unknown) => error instanceof InvalidInput && error.code === 'bad_option';

describe('an option that takes a number', () => {
  it('refuses what is none, in every command', async () => {
    const numeric = (await everyOption()).filter(([, { flags }]) => NUMERIC.test(flags));
    expect(numeric.length).toBeGreaterThan(30);
    const lax = numeric.filter(([, { parseArg }]) =>
      ['abc', '', 'Infinity'].some((text) => !parseArg || !refused(() => parseArg(text, undefined))),
    );
    expect(lax.map(([name]) => name)).toEqual([]);
  });
});

describe('the exit code', () => {
  let said = '';
  beforeEach(() => {
    said = '';
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        said += text;
        return true;
      });
    vi.spyOn(console, 'error').mockImplementation((text) => {
      said += text;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  const none = ['--dir', '/nowhere'];
  it.each([
    [['eval', 'vision', ...none, '--fps', 'abc']],
    [['eval', 'vision', ...none, '--fps', '0']],
    [['eval', 'vision', ...none, '--fps', '26']],
    [['eval', 'vision', ...none, '--loop', 'abc']],
    [['eval', 'vision', ...none, '--variants', 'foo']],
    [['eval', 'vision', ...none, '--variants', 'clean,foo']],
    [['eval', 'speech', ...none, '--engine', 'foo']],
    [['eval', 'speech', ...none, '--front', 'foo']],
    [['eval', 'speech', ...none, '--seed', 'abc']],
    [['eval', 'fronts', ...none, '--fronts', 'foo']],
    [['eval', 'fronts', ...none, '--engine', 'foo']],
    [['bench', 'camera', '--set', 'foo']],
    [['bench', 'camera', '--fps', 'abc']],
    [['bench', 'camera', '--soak', 'abc']],
    [['bench', 'camera', '--soak', '0']],
    [['bench', 'camera', '--most', '--set', 'foo']],
    [['bench', 'camera', '--most', '--seconds', '0']],
    [['models', 'measure', '--set', 'foo']],
    [['storm', '--store', 'foo']],
    [['storm', '--layout', 'foo']],
    [['cloud', '--port', 'abc']],
    [['demo', '--port', '70000']],
    [['certify', '--config', 'x', '--out', 'y', '--days', 'abc']],
    [['calibrate', '--room', 'x', '--minutes', 'abc']],
    [['discover', '--wait', 'abc']],
    [['fake-camera', '--user', 'u', '--password-file', 'p', '--from', 'abc']],
  ])('is 2 for %j', async (args) => {
    expect(await runCli(args)).toBe(2);
    // It names what would be right.
    expect(said).toContain(args.at(-1)!.split(',').at(-1));
  });

  it('is 1 where the options are right and the rest is not', async () => {
    expect(await runCli(['eval', 'vision', ...none, '--fps', '2', '--loop', '0.5', '--variants', 'clean'])).toBe(1);
    expect(said).toContain('[no_media]');
  });
});
