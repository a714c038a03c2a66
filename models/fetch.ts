/** Brings the weights that npm does not: from their official addresses, a mirror, or a folder; resumed, hashed, and put in place whole. */
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { EvalroomError, Full, Unavailable } from '../protocol/errors.ts';
import {
  ACCEPTED_FILE,
  acceptedHashes,
  DEFAULT_FOLDER,
  findWeight,
  howToGet,
  loadManifest,
  type Manifest,
  selectWeights,
  sha256Of,
  verifyFile,
  type Weight,
} from './manifest.ts';

export interface FetchOptions {
  /** Names or groups of the manifest (`zh`, `better`, `yolox-nano` …). */
  readonly names: readonly string[];
  /** Models folder to write into; made when it is not there. */
  readonly folder: string;
  /** Addresses of folders with the layout of a models folder, tried before the official addresses. */
  readonly mirrors?: readonly string[];
  /** A folder, such as a USB stick, to take the files from; nothing is fetched then. */
  readonly from?: string;
  /** Hashes that are good although the manifest has others. Remembered in the folder. */
  readonly acceptSha256?: readonly string[];
  /** How long an address may take to answer; default 5 s. Between two pieces of a file six times as long. */
  readonly connectLimitMs?: number;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  /** Default: the manifest of this version. */
  readonly manifest?: Manifest;
}

export interface FetchProgress {
  readonly name: string;
  readonly path: string;
  readonly state: 'present' | 'fetching' | 'done' | 'failed';
  /** Bytes there, and bytes that the manifest expects. */
  readonly bytes: number;
  readonly total: number;
  /** Address or file it comes from. */
  readonly from?: string;
}

/** What became of one weight. */
export type Fetched =
  | { readonly name: string; readonly path: string; readonly outcome: 'present' | 'fetched'; readonly sha256: string }
  | { readonly name: string; readonly path: string; readonly outcome: 'failed'; readonly error: EvalroomError };

/** How often one address is asked to go on after a cut connection. */
const TRIES = 4;

/**
 * Fetches one after another what `names` mean and what is not there yet; weights that npm, Debian or a build brings are looked
 * for only. A failure of one does not stop the others: look at the outcomes. Throws InvalidInput for an unknown name only.
 */
export async function fetchModels(options: FetchOptions): Promise<Fetched[]> {
  const manifest = options.manifest ?? (await loadManifest());
  const outcomes: Fetched[] = [];
  for (const weight of selectWeights(manifest, options.names))
    outcomes.push(await (weight.source === 'fetch' ? fetchOne(weight, options) : lookFor(weight, options)));
  return outcomes;
}

/** One that comes by another way than this: there, or how it is brought. */
async function lookFor(weight: Weight, { folder, onProgress }: FetchOptions): Promise<Fetched> {
  const { name, path, bytes: total } = weight;
  const file = await findWeight(weight, [folder, DEFAULT_FOLDER]);
  onProgress?.({ name, path, state: file ? 'present' : 'failed', bytes: file ? total : 0, total });
  if (file) return { name, path, outcome: 'present', sha256: await sha256Of(file) };
  const error = new Unavailable('model_missing', `${name}: there is no ${path}; ${howToGet(weight)}`);
  return { name, path, outcome: 'failed', error };
}

async function fetchOne(weight: Weight, options: FetchOptions): Promise<Fetched> {
  const { name, path } = weight;
  const { folder, onProgress, log } = options;
  const target = join(folder, path);
  const report = (state: FetchProgress['state'], bytes: number, from?: string) =>
    onProgress?.({ name, path, state, bytes, total: weight.bytes, ...(from === undefined ? {} : { from }) });
  try {
    const there = await verifyPresent(weight, options);
    if (there) {
      report('present', weight.bytes);
      return { name, path, outcome: 'present', sha256: there };
    }
    await mkdir(dirname(target), { recursive: true });
    const part = `${target}.part`;
    const progress = (bytes: number, from: string) => report('fetching', bytes, from);
    if (options.from === undefined) await download(weight, part, options, progress);
    else await copy(weight, options.from, part, progress);
    const sha256 = await settle(weight, part, target, options);
    report('done', weight.bytes);
    log.info({ weight: name, sha256 }, 'model file is in place');
    return { name, path, outcome: 'fetched', sha256 };
  } catch (cause) {
    report('failed', 0);
    return { name, path, outcome: 'failed', error: toEvalroomError(weight, cause) };
  }
}

/** Hash of the file where it is there and good; undefined where it has to be fetched (again). */
async function verifyPresent(weight: Weight, options: FetchOptions): Promise<string | undefined> {
  const file = await findWeight(weight, [options.folder]);
  if (!file) return undefined;
  try {
    return await verifyFile({ weight, file, acceptSha256: await allAccepted(weight, options) });
  } catch {
    return undefined;
  }
}

async function allAccepted(weight: Weight, { folder, acceptSha256 = [] }: FetchOptions): Promise<string[]> {
  const before = (await acceptedHashes(folder))[weight.name];
  return before ? [...acceptSha256, before] : [...acceptSha256];
}

/** Checks the finished part and moves it into place: written, flushed, renamed, and the folder flushed. */
async function settle(weight: Weight, part: string, target: string, options: FetchOptions): Promise<string> {
  let sha256: string;
  try {
    sha256 = await verifyFile({ weight, file: part, acceptSha256: await allAccepted(weight, options) });
  } catch (error) {
    // Kept for inspection, but never taken for a good beginning of the file.
    await rename(part, `${target}.rejected`);
    throw error;
  }
  if (sha256 !== weight.sha256) await remember(weight, sha256, options.folder);
  await flush(part);
  await rename(part, target);
  await flush(dirname(target));
  await rm(`${target}.rejected`, { force: true });
  return sha256;
}

async function remember(weight: Weight, sha256: string, folder: string): Promise<void> {
  const accepted = { ...(await acceptedHashes(folder)), [weight.name]: sha256 };
  const file = join(folder, ACCEPTED_FILE);
  await writeFile(`${file}.part`, `${JSON.stringify(accepted, undefined, 2)}\n`);
  await flush(`${file}.part`);
  await rename(`${file}.part`, file);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** From a folder that is laid out like a models folder, or has the files side by side. */
async function copy(weight: Weight, from: string, part: string, progress: (bytes: number, from: string) => void) {
  const candidates = [join(from, weight.path), join(from, basename(weight.path))];
  for (const file of candidates) {
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) continue;
    await writeFile(part, bytes);
    progress(bytes.length, file);
    return;
  }
  throw new Unavailable('model_missing', `${weight.name}: there is neither ${candidates.join(' nor ')}`);
}

type Progress = (bytes: number, from: string) => void;

/** Tries each address in turn; what a cut connection left is gone on with, at the next address too. */
async function download(weight: Weight, part: string, options: FetchOptions, progress: Progress): Promise<void> {
  const mirrors = (options.mirrors ?? []).map((mirror) => `${mirror.replace(/\/+$/, '')}/${weight.path}`);
  const failures: string[] = [];
  let last: unknown;
  for (const address of [...mirrors, ...weight.addresses]) {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const before = await sizeOf(part);
      try {
        await pull(address, part, options, (bytes) => progress(bytes, address));
        return;
      } catch (error) {
        if (options.signal?.aborted || error instanceof Full) throw error;
        last = error;
        // Going on makes sense only where something came; another address may be better otherwise.
        if ((await sizeOf(part)) > before) continue;
        failures.push(`${new URL(address).host}: ${reasonOf(error)}`);
        break;
      }
    }
  }
  throw new Unavailable(
    'model_unreachable',
    `${weight.name} could not be fetched (${failures.join('; ') || reasonOf(last)}). Without a network bring the file ` +
      `${weight.path} on a stick: evalroom models fetch ${weight.name} --from FOLDER`,
    last,
  );
}

async function pull(address: string, part: string, options: FetchOptions, progress: (bytes: number) => void) {
  const { connectLimitMs = 5_000, signal } = options;
  const begin = await sizeOf(part);
  const patience = createPatience(connectLimitMs, signal);
  try {
    const response = await fetch(address, {
      // Compressed bytes could not be resumed in the middle.
      headers: { 'accept-encoding': 'identity', ...(begin > 0 ? { range: `bytes=${begin}-` } : {}) },
      signal: patience.signal,
    });
    // Complete already, or not what was begun: the server says that nothing follows.
    if (response.status === 416) {
      await response.body?.cancel();
      if (contentRangeTotal(response) === begin) return;
      await rm(part, { force: true });
      throw new Unavailable('http_status', 'the file there is shorter than what was fetched before');
    }
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new Unavailable('http_status', `it answers ${response.status}`);
    }
    // A server that cannot resume sends the whole file.
    const resumed = response.status === 206;
    let bytes = resumed ? begin : 0;
    const file = await open(part, resumed ? 'a' : 'w');
    try {
      for await (const piece of response.body) {
        patience.renew(connectLimitMs * 6);
        await store(file, piece, part);
        bytes += piece.length;
        progress(bytes);
      }
    } finally {
      await file.close();
    }
    const length = Number(response.headers.get('content-length'));
    const encoded = response.headers.has('content-encoding');
    if (length > 0 && !encoded && bytes !== length + (resumed ? begin : 0))
      throw new Unavailable('cut', `the connection was cut after ${bytes} bytes`);
  } finally {
    patience.end();
  }
}

async function store(file: FileHandle, piece: Uint8Array, part: string): Promise<void> {
  try {
    for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new Full(
        'disk_full',
        `no space is left for ${part}: free some and fetch again, it goes on from there`,
        cause,
      );
    throw cause;
  }
}

/** A signal that aborts when nothing has renewed it for a while, or when `outer` does. */
function createPatience(ms: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const giveUp = (limit: number) => () => controller.abort(new Unavailable('timeout', `no answer within ${limit} ms`));
  let timer = setTimeout(giveUp(ms), ms);
  const follow = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    renew(limit: number) {
      clearTimeout(timer);
      timer = setTimeout(giveUp(limit), limit);
    },
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}

/** The total of `Content-Range: bytes * / total`. */
function contentRangeTotal(response: Response): number | undefined {
  const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** fetch() hides the real reason one or two causes deep. */
function reasonOf(error: unknown): string {
  let deepest: unknown = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (deepest instanceof Error) return deepest.message || ((deepest as NodeJS.ErrnoException).code ?? deepest.name);
  return String(deepest);
}

function toEvalroomError(weight: Weight, cause: unknown): EvalroomError {
  if (cause instanceof EvalroomError) return cause;
  return new Unavailable('model_not_stored', `${weight.name} could not be stored: ${reasonOf(cause)}`, cause);
}
