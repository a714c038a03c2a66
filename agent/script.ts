/** Beside main.ts: the script that stands in for eyes and ears in measurements, where room.yaml names one. */
import { existsSync, readFileSync } from 'node:fs';
import type { Script } from '../models/pose/scripted.ts';
import type { Hit } from '../models/speech/recogniser.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { RoomConfig } from './config.ts';

/** What a script file for measurements holds: `script:` of room.yaml names it. */
export interface ScriptFile {
  readonly eyes?: Script;
  readonly ears?: readonly Hit[];
}

/** Undefined where the room sees and hears for itself. Throws InvalidInput `script_missing`, `script_unreadable`. */
export function readScript(config: RoomConfig): ScriptFile | undefined {
  if (config.perception.kind === 'auto') return undefined;
  const { path } = config.perception;
  if (!existsSync(path)) throw new InvalidInput('script_missing', `${config.path}: script ${path} does not exist`);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ScriptFile;
  } catch (cause) {
    throw new InvalidInput('script_unreadable', `${config.path}: script ${path} is not JSON`, cause);
  }
}
