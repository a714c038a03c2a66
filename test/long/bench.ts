/** What the tests of the benchmarks share: `evalroom bench` as a user runs it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CLI = fileURLToPath(new URL('../../scripts/cli.ts', import.meta.url));

/** The object that it prints last with `--json`. Rejects when the command fails. */
export async function bench(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'bench', ...args, '--json']);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}
