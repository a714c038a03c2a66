/** The worker thread of the Mandarin ear: opens the model, then turns blocks of sound into hits. No clock, no file but the model. */
import { parentPort, workerData } from 'node:worker_threads';
import { EvalroomError } from '../../protocol/errors.ts';
import { because } from '../../protocol/why.ts';
import { readFsmnModel } from './fsmn-files.ts';
import { createSpotter } from './fsmn-spotter.ts';
import type { EngineReport } from './hosted.ts';
import type { RecogniserOptions } from './recogniser.ts';

const port = parentPort!;
const tell = (report: EngineReport) => port.postMessage(report);

/** CPU time of this thread in ms, so that a busy machine does not count as a slow ear. */
const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

try {
  const { phrases, modelsFolder, project } = workerData as RecogniserOptions;
  const spotter = createSpotter({ model: readFsmnModel(modelsFolder), phrases, project, tellSuspected: true });
  if (spotter.forms === 0) {
    tell({
      kind: 'refused',
      why: because('none_spotted', { count: phrases.length, error: spotter.unheard[0]?.reason ?? '' }),
    });
  } else {
    const ids = [...new Set(spotter.unheard.map((form) => form.phraseId))];
    tell(
      ids.length === 0
        ? { kind: 'ready' }
        : {
            kind: 'ready',
            partly: [because('deaf_to', { phrases: `${ids.join(', ')}: ${spotter.unheard[0]!.reason}` })],
          },
    );
    port.on('message', (samples: Int16Array) => {
      const began = cpuMs();
      const hits = spotter.accept(samples);
      const [talk, later] = [spotter.talk(), spotter.later()];
      tell({ kind: 'done', samples: samples.length, busyMs: cpuMs() - began, hits, talk, later });
    });
  }
} catch (error) {
  if (!(error instanceof EvalroomError)) throw error;
  tell({ kind: 'refused', why: because('engine_refused', { error: error.message }) });
}
