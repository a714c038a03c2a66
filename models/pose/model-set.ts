/** Which detector and pose model the eyes run: the better one where its file lies, else the one that npm brought. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Bug, EvalroomError, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import {
  acceptedHashes,
  DEFAULT_FOLDER,
  findWeight,
  howToGet,
  loadManifest,
  type Manifest,
  verifyFile,
  type Weight,
  weightFile,
} from '../manifest.ts';
import { findLiteRt } from './blazepose.ts';
import type { Script } from './scripted.ts';
import type { WorkerModel } from './worker.ts';

/**
 * `auto`: better where present, else default. `centernet`: another detector that npm brings, for comparison and where
 * its licence is no question. `scripted` plays a script and needs no weights.
 */
export type ModelSetName = 'auto' | 'default' | 'better' | 'centernet' | 'scripted';

export interface ModelSetOptions {
  /** Folder of fetched models, if one is given. */
  readonly modelsFolder?: string | undefined;
  /** The agent's data folder: its `models` subfolder is looked into as well. */
  readonly dataFolder: string;
  readonly set: ModelSetName;
  readonly script?: Script | undefined;
  /** Execution providers of ONNX Runtime, best first. */
  readonly providers?: readonly string[] | undefined;
  readonly log: Logger;
}

export interface ModelSet {
  /** For example `yolox-nano+pose-lite`. */
  readonly name: string;
  readonly detector: WorkerModel;
  readonly pose: WorkerModel;
  /** Why it is not the set that one might expect. */
  readonly note?: string;
}

/** Finds and verifies the files. Throws what verifyFile() throws; a broken better file in `auto` becomes a note. */
export async function chooseModels(options: ModelSetOptions): Promise<ModelSet> {
  const { modelsFolder, dataFolder, set, script, providers, log } = options;
  if (set === 'scripted') {
    if (!script) throw new InvalidInput('script_missing', 'the scripted model set needs a script');
    const model: WorkerModel = { kind: 'scripted', script };
    return { name: 'scripted', detector: model, pose: model };
  }
  const folders = [...(modelsFolder ? [modelsFolder] : []), join(dataFolder, 'models'), DEFAULT_FOLDER];
  const manifest = await loadManifest();
  const pose: WorkerModel = {
    kind: 'landmarker',
    name: 'pose-lite',
    file: await verified(weightOf(manifest, 'pose-lite'), folders),
  };
  const done = (detector: WorkerModel & { name: string }, note?: string): ModelSet => ({
    name: `${detector.name}+${pose.name}`,
    detector,
    pose,
    ...(note === undefined ? {} : { note }),
  });
  if (set === 'centernet') return done(await centernet(manifest, folders));
  const usual = async (note?: string): Promise<ModelSet> => {
    if (findLiteRt()) return done(await blazepose(manifest, folders), note);
    const why = 'LiteRT is not installed, so CenterNet detects persons: run npm ci';
    return done(await centernet(manifest, folders), note === undefined ? why : `${note}; ${why}`);
  };
  const better = weightOf(manifest, 'yolox-nano');
  const present = await findWeight(better, folders);
  if (set === 'better' || (set === 'auto' && present)) {
    try {
      const file = await verified(better, folders);
      return done({ kind: 'yolox', name: 'yolox-nano', file, ...(providers ? { providers } : {}) });
    } catch (error) {
      if (set === 'better' || !(error instanceof EvalroomError)) throw error;
      log.error({ code: error.code }, `the better detector is not used: ${error.message}`);
      return await usual(error.message);
    }
  }
  return await usual();
}

async function blazepose(manifest: Manifest, folders: readonly string[]) {
  const file = await verified(weightOf(manifest, 'blazepose-detector'), folders);
  return { kind: 'blazepose', name: 'blazepose', file } as const;
}

async function centernet(manifest: Manifest, folders: readonly string[]) {
  const file = await verified(weightOf(manifest, 'centernet-graph'), folders);
  await verified(weightOf(manifest, 'centernet-weights'), folders);
  return { kind: 'centernet', name: 'centernet', file } as const;
}

/** Path of the weight with its hash checked. */
async function verified(weight: Weight, folders: readonly string[]): Promise<string> {
  const file = await findWeight(weight, folders);
  if (!file)
    throw new Unavailable(
      'model_missing',
      `${weight.name}: no ${folders.map((folder) => weightFile(weight, folder)).join(', nor ')}; ${howToGet(weight)}`,
    );
  const accepted = weight.source === 'fetch' ? await acceptedHashes(file.slice(0, -weight.path.length - 1)) : {};
  await verifyFile({ weight, file, acceptSha256: accepted[weight.name] ? [accepted[weight.name]!] : [] });
  return file;
}

function weightOf({ weights }: Manifest, name: string): Weight {
  const weight = weights.find((candidate) => candidate.name === name);
  if (!weight) throw new Bug('manifest', `models/manifest.json names no ${name}`);
  return weight;
}
