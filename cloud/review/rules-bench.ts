/** Beside the rule page: hands drafts to a thread of their own, one at a time, with a bound on those that wait and on the time each may take. */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { Bug, Corrupt, Full, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { RulesJob, RulesResults } from './rules-jobs.ts';
import type { WorkerAnswer } from './rules-worker.ts';

export interface RulesBench {
  /** Throws what the job throws, Full `rules_busy`, Unavailable `rules_slow`. */
  run<K extends RulesJob['kind']>(job: RulesJob & { kind: K }): Promise<RulesResults[K]>;
  close(): Promise<void>;
}

/** Jobs that may wait; beyond it a page is told to try again. */
const WAITING_MAX = 12;
const JOB_MS = 60_000;
/** A thread that nobody needs goes, and its memory with it. */
const IDLE_MS = 120_000;

interface Waiting {
  readonly job: RulesJob;
  resolve(value: never): void;
  reject(error: unknown): void;
}

export function createRulesBench({ clock, log }: { readonly clock: Clock; readonly log: Logger }): RulesBench {
  const closing = new AbortController();
  const queue: Waiting[] = [];
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  let idle: AbortController | undefined;

  const drop = async () => {
    const gone = worker;
    worker = undefined;
    await gone?.terminate();
  };
  const ask = (job: RulesJob): Promise<WorkerAnswer> =>
    new Promise((resolve, reject) => {
      worker ??= new Worker(new URL('./rules-worker.ts', import.meta.url), {
        resourceLimits: { maxOldGenerationSizeMb: 768 },
      });
      const asked = worker;
      const done = new AbortController();
      const end = (act: () => void) => {
        done.abort();
        asked.off('message', heard);
        asked.off('error', failed);
        asked.off('exit', left);
        act();
      };
      const heard = (answer: WorkerAnswer) => end(() => resolve(answer));
      // Out of memory, or ended by somebody: the next job gets a new thread.
      const failed = (cause: unknown) =>
        end(() => {
          if (worker === asked) worker = undefined;
          reject(
            new Unavailable(
              'rules_slow',
              `a ${job.kind} of a rule pack was not finished, its thread ended; try again`,
              cause,
            ),
          );
        });
      const left = () => failed(undefined);
      asked.on('message', heard);
      asked.on('error', failed);
      asked.on('exit', left);
      asked.postMessage(job);
      void clock.sleep(JOB_MS, AbortSignal.any([done.signal, closing.signal])).then(() => {
        if (done.signal.aborted) return;
        end(() => {
          void drop();
          reject(
            new Unavailable('rules_slow', `a ${job.kind} of a rule pack took over ${JOB_MS / 1000} s and was given up`),
          );
        });
      });
    });
  const loop = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        const answer = await ask(next.job);
        if (answer.ok) next.resolve(answer.value as never);
        else next.reject(errorOf(answer));
      } catch (error) {
        next.reject(error);
      }
    }
    running = undefined;
    rest();
  };
  const rest = () => {
    idle?.abort();
    const mine = new AbortController();
    idle = mine;
    void clock.sleep(IDLE_MS, AbortSignal.any([mine.signal, closing.signal])).then(() => {
      if (mine.signal.aborted || running) return;
      drop().catch((error: unknown) => log.warn({ err: error }, 'the thread of the rule page did not end well'));
    });
  };

  return {
    run(job) {
      if (closing.signal.aborted || queue.length >= WAITING_MAX)
        return Promise.reject(
          new Full('rules_busy', `trying a rule pack: ${queue.length} tries wait already; try again`),
        );
      return new Promise((resolve, reject) => {
        queue.push({ job, resolve: resolve as (value: never) => void, reject });
        idle?.abort();
        running ??= loop();
      });
    },
    async close() {
      closing.abort();
      for (const { reject } of queue.splice(0)) reject(new Full('rules_busy', 'trying a rule pack: the cloud ends'));
      await drop();
      await running;
    },
  };
}

/** The error as it was on the thread. */
function errorOf({ kind, code, message }: Extract<WorkerAnswer, { ok: false }>): Error {
  if (kind === 'InvalidInput') return new InvalidInput(code, message);
  if (kind === 'Unavailable') return new Unavailable(code, message);
  if (kind === 'Corrupt') return new Corrupt(code, message);
  return new Bug(code, message);
}
