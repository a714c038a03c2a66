/** Finds and reads the files of the Mandarin model in a folder of fetched models. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Corrupt, Unavailable } from '../../protocol/errors.ts';
import { chanceOf } from './chance.ts';
import type { SpotterModel } from './fsmn-spotter.ts';
import { averageNets, parseMvn, parseNet } from './nnet.ts';

/** Sub-folder of the models folder, and the files in it; the sister net is optional. */
export const FSMN_FOLDER = 'fsmn-zh';
export const FSMN_FILES = ['kwsr.net', 'kwsr.mvn', 'tokens_2599.txt'] as const;
export const FSMN_SISTER = 'wenwen-kwsr.net';
/** Share of the main net in the average: fixed by measurement on general speech, see docs. */
const MAIN_SHARE = 0.75;

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/**
 * Reads the model under `modelsFolder`/fsmn-zh. Throws Unavailable (`model_missing`) when a file is not there and
 * Corrupt when one is unreadable.
 */
export function readFsmnModel(modelsFolder: string): SpotterModel {
  const folder = join(modelsFolder, FSMN_FOLDER);
  const read = (name: string): Buffer => {
    try {
      return readFileSync(join(folder, name));
    } catch (error) {
      throw new Unavailable('model_missing', `no ${name} in ${folder}; run: evalroom models fetch zh`, error);
    }
  };
  const [main, mvn, tokenFile] = FSMN_FILES.map(read) as [Buffer, Buffer, Buffer];
  let net = parseNet(main, FSMN_FILES[0]);
  let sister: Buffer | undefined;
  try {
    sister = readFileSync(join(folder, FSMN_SISTER));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (sister) net = averageNets(net, parseNet(sister, FSMN_SISTER), MAIN_SHARE);
  const tokens = tokenFile.toString('utf8').trimEnd().split(/\r?\n/);
  if (tokens.length !== net.outputs)
    throw new Corrupt(
      'model_mismatch',
      `reading ${folder}: ${tokens.length} tokens for a net of ${net.outputs} outputs; fetch the model again`,
    );
  const shifts = parseMvn(mvn.toString('utf8'), net.inputs);
  let chance: Float32Array | undefined;
  return {
    net,
    mvn: shifts,
    tokens,
    chance(syllables) {
      chance ??= chanceOf({ net, mvn: shifts, syllables });
      return chance;
    },
  };
}
