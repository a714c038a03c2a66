/** The Mandarin engine as a Recogniser: the FSMN spotter in a worker thread, kept alive by its host. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { because, type Why } from '../../protocol/why.ts';
import { FSMN_FILES, FSMN_FOLDER } from './fsmn-files.ts';
import { type EngineEvents, type EnginePort, type EngineReport, hostEngine } from './hosted.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';

/** What stands in for a model: the reason with the one command that cures it. */
function missingModel(modelsFolder: string): Why | undefined {
  const absent = FSMN_FILES.filter((name) => !existsSync(join(modelsFolder, FSMN_FOLDER, name)));
  if (absent.length === 0) return undefined;
  return because('no_model_zh', { files: absent.join(', '), folder: join(modelsFolder, FSMN_FOLDER) });
}

function spawnWorker(options: RecogniserOptions, events: EngineEvents): EnginePort {
  const worker = new Worker(new URL('./fsmn-worker.ts', import.meta.url), {
    workerData: options,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  worker.on('message', (report: EngineReport) => events.onReport(report));
  worker.on('error', (error) => events.onExit(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => events.onExit(`worker exit ${code}`));
  return {
    // Posting a view would copy all of the buffer behind it.
    post: (samples) => {
      const own = samples.slice();
      worker.postMessage(own, [own.buffer]);
    },
    kill: () => void worker.terminate(),
  };
}

/** Mandarin keyword spotting from `options.modelsFolder`/fsmn-zh; deaf until the model is there, then hears by itself. */
export function createFsmn(deps: { options: RecogniserOptions; clock: Clock; log: Logger }): Recogniser {
  const { options, clock, log } = deps;
  return hostEngine({
    clock,
    log,
    hosted: {
      engine: 'fsmn',
      language: 'zh-CN',
      countsTalk: true,
      missing: () => missingModel(options.modelsFolder),
      spawn: (events) => spawnWorker(options, events),
    },
  });
}
