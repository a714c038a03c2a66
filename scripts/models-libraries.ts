/** `evalroom models fetch vosk|sherpa`: brings the libraries of the engines that do not come with `npm ci`, through npm itself. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Corrupt, Unavailable } from '../protocol/errors.ts';

const run = promisify(execFile);
export const LIBRARIES = ['vosk', 'sherpa'] as const;
export type Library = (typeof LIBRARIES)[number];

const VOSK = 'vosk@0.3.39';
/** The package does not install on a new Node, but the library in it is sound. linux-x86_64 only. */
const VOSK_MEMBER = 'package/lib/linux-x86_64/libvosk.so';
const VOSK_SHA256 = '9f94ef218c32e271ae8ac84065ab25191af48832c06c6e624984b1c80f0b0920';
const SHERPA = 'sherpa-onnx-node@1.13.8';

/**
 * Puts a library under `folder` and returns where. `from`: a folder that holds libvosk.so, or node_modules with sherpa-onnx-node
 * in it. Throws Unavailable (`library_missing`) when npm cannot bring it, Corrupt (`model_hash_mismatch`).
 */
export async function fetchLibrary(deps: { library: Library; folder: string; from?: string }): Promise<string> {
  const { library, folder, from } = deps;
  const home = join(folder, library);
  mkdirSync(home, { recursive: true });
  if (library === 'sherpa') return fetchSherpa(home, from);
  const target = join(home, 'libvosk.so');
  if (existsSync(target) && isVosk(target)) return target;
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-vosk-'));
  try {
    let source = from === undefined ? undefined : join(from, 'libvosk.so');
    if (source === undefined) {
      await npm(['pack', VOSK, '--silent', '--pack-destination', scratch], `bringing ${VOSK}`);
      const archive = readdirSync(scratch).find((name) => name.endsWith('.tgz'))!;
      await run('tar', ['-xzf', join(scratch, archive), '-C', scratch, VOSK_MEMBER]);
      source = join(scratch, VOSK_MEMBER);
    }
    if (!existsSync(source)) throw missing(`looking for ${source}: it is not there`);
    if (!isVosk(source))
      throw new Corrupt('model_hash_mismatch', `${source} is not the libvosk.so of ${VOSK} (sha256 ${VOSK_SHA256})`);
    copyFileSync(source, target);
    return target;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Whether a library that was brought is whole. libvosk.so has its hash; sherpa-onnx-node its version and the binary beside it. */
export function verifyLibrary({ library, folder }: { readonly library: Library; readonly folder: string }): {
  readonly state: 'good' | 'missing' | 'bad';
  readonly file: string;
  readonly reason?: string;
} {
  const file =
    library === 'vosk'
      ? join(folder, library, 'libvosk.so')
      : join(folder, library, 'node_modules', 'sherpa-onnx-node', 'package.json');
  if (!existsSync(file)) return { state: 'missing', file, reason: `evalroom models fetch ${library} brings it` };
  const again = `remove ${join(folder, library)} and run evalroom models fetch ${library}`;
  if (library === 'vosk')
    return isVosk(file)
      ? { state: 'good', file }
      : { state: 'bad', file, reason: `not the library of ${VOSK}; ${again}` };
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    const binary = join(
      folder,
      library,
      'node_modules',
      `sherpa-onnx-${process.platform}-${process.arch}`,
      'sherpa-onnx.node',
    );
    if (`${name}@${version}` !== SHERPA)
      return { state: 'bad', file, reason: `${name}@${version} in place of ${SHERPA}; ${again}` };
    return existsSync(binary)
      ? { state: 'good', file }
      : { state: 'bad', file, reason: `${binary} is missing; ${again}` };
  } catch (cause) {
    return { state: 'bad', file, reason: `can not be read (${(cause as Error).message}); ${again}` };
  }
}

async function fetchSherpa(home: string, from: string | undefined): Promise<string> {
  const target = join(home, 'node_modules', 'sherpa-onnx-node');
  if (existsSync(target)) return target;
  // Package and binary are laid side by side as npm does; a folder brings both.
  const what =
    from === undefined
      ? [SHERPA]
      : readdirSync(from).flatMap((name) => (/^sherpa-onnx-.*\.tgz$/.test(name) ? [join(from, name)] : []));
  if (what.length === 0) throw missing(`looking for sherpa-onnx-*.tgz in ${from}: none is there (npm pack makes them)`);
  await npm(['install', '--prefix', home, '--no-audit', '--no-fund', '--save-exact', ...what], `bringing ${SHERPA}`);
  return target;
}

async function npm(args: readonly string[], doing: string): Promise<void> {
  try {
    await run('npm', [...args], { maxBuffer: 2 ** 24 });
  } catch (error) {
    throw missing(`${doing} with npm: it failed; without a network take it from a folder: --from FOLDER`, error);
  }
}

const missing = (why: string, cause?: unknown) => new Unavailable('library_missing', why, cause);
const isVosk = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex') === VOSK_SHA256;
