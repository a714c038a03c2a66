/** Inside `eval vision`: the models' answers by what they were asked, so that a change behind the models costs no inference. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createThread, type Thread, type ThreadOptions } from '../models/pose/thread.ts';

type Answer = Awaited<ReturnType<Thread['ask']>>;
type Poses = Extract<Answer, { kind: 'estimated' }>['poses'];
interface Known {
  readonly found?: Extract<Answer, { kind: 'detected' }>['found'];
  /** `null`: nobody in this box. */
  readonly pose?: Poses[number] | null;
  readonly cpuMs: number;
}

export interface AnswerMemory {
  /** For createEyes(): threads that look into the memory before they ask the model. CPU time is that of the first time. */
  threads(options: ThreadOptions): Thread;
  /** Forgets everything and takes what a file holds, if it is there. */
  open(file: string | undefined): Promise<void>;
  /** Writes what is known, where something was learnt since open(). */
  keep(file: string | undefined): Promise<void>;
}

/** A busy machine makes no figure worse than the code is: in a room a thread that is silent for so long would be hung. */
const PATIENCE_MS = 600_000;

/** Knows nothing at first. Questions are the bytes of the picture with the regions or the box. */
export function createAnswerMemory(): AnswerMemory {
  let known = new Map<string, Known>();
  let learnt = 0;
  function learn(key: string, answer: Known): Known {
    known.set(key, answer);
    learnt += 1;
    return answer;
  }
  return {
    threads(options) {
      const limits = { ...options.limits, startMs: PATIENCE_MS, answerMs: PATIENCE_MS };
      const thread = createThread({ ...options, limits });
      let [cpuMs, runs] = [0, 0];
      return {
        ...thread,
        async ask(request) {
          const picture = `${options.model.kind} ${createHash('sha1').update(request.picture.rgb).digest('base64')}`;
          if (request.job === 'detect') {
            const key = `${picture} ${JSON.stringify(request.regions)}`;
            let one = known.get(key);
            if (!one?.found) {
              const answer = await thread.ask(request);
              if (answer.kind !== 'detected') return answer;
              one = learn(key, { found: answer.found, cpuMs: answer.cpuMs });
            }
            cpuMs += one.cpuMs;
            runs += 1 + request.regions.length;
            return { kind: 'detected', id: 0, found: one.found!, cpuMs: one.cpuMs, runs: 1 };
          }
          const poses: Poses[number][] = [];
          for (const box of request.boxes) {
            const key = `${picture} ${JSON.stringify(box)}`;
            let one = known.get(key);
            if (one?.pose === undefined) {
              const answer = await thread.ask({ ...request, boxes: [box] });
              if (answer.kind !== 'estimated') return answer;
              one = learn(key, { pose: answer.poses[0] ?? null, cpuMs: answer.cpuMs });
            }
            poses.push(one.pose ?? undefined);
            cpuMs += one.cpuMs;
            runs += 1;
          }
          return { kind: 'estimated', id: 0, poses, cpuMs: 0, runs: poses.length };
        },
        health: () => ({ ...thread.health(), cpuMs, runs }),
      };
    },
    async open(file) {
      known = new Map();
      learnt = 0;
      const bytes = file && (await readFile(file).catch(() => undefined));
      if (!bytes) return;
      try {
        known = new Map(JSON.parse(gunzipSync(bytes).toString()) as [string, Known][]);
      } catch {
        // Cut short by a full disk or a kill: asked anew and written over.
      }
    },
    async keep(file) {
      if (!file || learnt === 0) return;
      await mkdir(dirname(file), { recursive: true });
      const part = `${file}.${process.pid}.part`;
      await writeFile(part, gzipSync(JSON.stringify([...known])));
      await rename(part, file);
    },
  };
}
