/** Watches over one worker thread: starts it, hands it one request at a time, and restarts it when it crashes or hangs. */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { Bug, Corrupt, type EvalroomError, Full, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { WorkerAnswer, WorkerModel, WorkerRequest } from './worker.ts';

/** Waits before the 1st, 2nd … restart in a row; the last one repeats. */
export const RESTART_AFTER_MS = [200, 1_000, 5_000, 15_000, 60_000] as const;

export interface ThreadLimits {
  /** Loading the model may take this long. */
  readonly startMs: number;
  /** An answer may take this long, else the thread counts as hung. */
  readonly answerMs: number;
  /** Requests that may wait; one more is refused with Full. */
  readonly waiting: number;
  /** A thread that ran this long is healthy again: the next restart is quick. */
  readonly calmMs: number;
  /** Answers in a row that were errors, after which the thread is replaced. */
  readonly failures: number;
}

export const THREAD_LIMITS: ThreadLimits = {
  startMs: 60_000,
  answerMs: 15_000,
  waiting: 16,
  calmMs: 60_000,
  failures: 3,
};

export interface ThreadHealth {
  readonly state: 'starting' | 'running' | 'down';
  /** Why it went down last; cleared by the first good answer after it. */
  readonly reason?: string;
  readonly restarts: number;
  /** CPU time of all its requests so far. */
  readonly cpuMs: number;
  /** How often the model ran for them. */
  readonly runs: number;
}

export interface ThreadOptions {
  /** `detector` or `pose`, for log and health. */
  readonly name: string;
  readonly model: WorkerModel;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<ThreadLimits>;
}

type Answer = Extract<WorkerAnswer, { kind: 'detected' | 'estimated' }>;
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

export interface Thread {
  /** Begins the first start; resolves when the model is loaded or the first start has failed. */
  start(signal: AbortSignal): Promise<void>;
  /** Rejects with Unavailable while down, Full when too many wait. */
  ask(request: Unnumbered<WorkerRequest>): Promise<Answer>;
  health(): ThreadHealth;
  close(): Promise<void>;
}

interface Pending {
  readonly request: WorkerRequest;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: EvalroomError) => void;
}

/** Nothing runs before `start()`. */
export function createThread({ name, model, clock, log, limits }: ThreadOptions): Thread {
  const bound = { ...THREAD_LIMITS, ...limits };
  let worker: Worker | undefined;
  let state: ThreadHealth['state'] = 'starting';
  let reason: string | undefined;
  let restarts = 0;
  let inARow = 0;
  let failures = 0;
  let cpuMs = 0;
  let runs = 0;
  let runningSince = 0;
  let nextId = 1;
  let busy: Pending | undefined;
  let watch = new AbortController();
  const queue: Pending[] = [];
  const closing = new AbortController();
  let firstStart: (() => void) | undefined;

  function spawn(): void {
    if (closing.signal.aborted) return;
    state = 'starting';
    const fresh = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: model,
      name: `evalroom-${name}`,
      // The runtimes chatter on both; nothing of it is for the operator.
      stdout: true,
      stderr: true,
    });
    worker = fresh;
    fresh.stdout.resume();
    fresh.stderr.resume();
    fresh.on('message', (answer: WorkerAnswer) => onAnswer(fresh, answer));
    fresh.on('error', (error) => down(fresh, `crashed: ${error instanceof Error ? error.message : String(error)}`));
    fresh.on('exit', (code) => down(fresh, `ended with code ${code}`));
    expect(fresh, bound.startMs, `did not load its model within ${bound.startMs} ms`);
  }

  /** Brings `fresh` down unless the watch is called off within `ms`. */
  function expect(fresh: Worker, ms: number, complaint: string): void {
    watch = new AbortController();
    const { signal } = watch;
    void clock.sleep(ms, signal).then(() => {
      if (!signal.aborted) down(fresh, complaint);
    });
  }

  function onAnswer(from: Worker, answer: WorkerAnswer): void {
    if (from !== worker) return;
    if (answer.kind === 'failed' && answer.id === undefined) {
      down(from, answer.error.text);
      return;
    }
    watch.abort();
    if (answer.kind === 'ready') {
      state = 'running';
      runningSince = clock.monoMs();
      cpuMs += answer.cpuMs;
      if (answer.note !== undefined) log.warn({ thread: name }, answer.note);
      firstStart?.();
      next();
      return;
    }
    const done = busy;
    busy = undefined;
    if (answer.kind === 'failed') {
      failures += 1;
      reason = answer.error.text;
      done?.reject(wordFailure(name, answer.error));
      if (failures >= bound.failures) down(from, `${failures} failures in a row, the last: ${answer.error.text}`);
    } else {
      failures = 0;
      reason = undefined;
      cpuMs += answer.cpuMs;
      runs += answer.runs;
      done?.resolve(answer);
    }
    next();
  }

  /** Ends a thread that broke, refuses all that waited for it, and starts another after a while. */
  function down(broken: Worker, why: string): void {
    if (broken !== worker) return;
    worker = undefined;
    watch.abort();
    void broken.terminate();
    const calm = state === 'running' && clock.monoMs() - runningSince > bound.calmMs;
    state = 'down';
    firstStart?.();
    if (closing.signal.aborted) return;
    reason = why;
    failures = 0;
    const error = new Unavailable('eyes_down', `the ${name} thread ${why}`);
    for (const waiting of busy ? [busy, ...queue.splice(0)] : queue.splice(0)) waiting.reject(error);
    busy = undefined;
    inARow = calm ? 0 : inARow;
    const waitMs = RESTART_AFTER_MS[Math.min(inARow, RESTART_AFTER_MS.length - 1)]!;
    inARow += 1;
    restarts += 1;
    log.warn({ thread: name, reason: why, restarts, waitMs }, 'thread of the eyes went down, restarting');
    void clock.sleep(waitMs, closing.signal).then(spawn);
  }

  function next(): void {
    if (busy || state !== 'running' || !worker) return;
    busy = queue.shift();
    if (!busy) return;
    expect(worker, bound.answerMs, `did not answer within ${bound.answerMs} ms`);
    try {
      worker.postMessage(busy.request);
    } catch (cause) {
      watch.abort();
      const refused = busy;
      busy = undefined;
      refused.reject(new Bug('not_transferable', `a picture cannot be handed to the ${name} thread`, cause));
    }
  }

  return {
    async start(signal) {
      signal.addEventListener('abort', () => closing.abort(), { once: true });
      const started = new Promise<void>((resolve) => {
        firstStart = resolve;
      });
      closing.signal.addEventListener('abort', () => firstStart?.(), { once: true });
      spawn();
      await started;
    },
    async ask(request) {
      if (state !== 'running')
        throw new Unavailable('eyes_down', `the ${name} thread is ${state}${reason ? `: ${reason}` : ''}`);
      if (queue.length >= bound.waiting)
        throw new Full('eyes_busy', `${queue.length} pictures wait for the ${name} thread already`);
      return await new Promise<Answer>((resolve, reject) => {
        queue.push({ request: { ...request, id: nextId++ } as WorkerRequest, resolve, reject });
        next();
      });
    },
    health: () => ({ state, ...(reason === undefined ? {} : { reason }), restarts, cpuMs, runs }),
    async close() {
      closing.abort();
      watch.abort();
      const error = new Unavailable('eyes_closed', `the ${name} thread was closed`);
      for (const waiting of busy ? [busy, ...queue.splice(0)] : queue.splice(0)) waiting.reject(error);
      busy = undefined;
      const last = worker;
      worker = undefined;
      state = 'down';
      await last?.terminate();
    },
  };
}

function wordFailure(name: string, { kind, code, text }: { kind: string; code: string; text: string }): EvalroomError {
  const message = `the ${name} thread: ${text}`;
  return kind === 'Corrupt' ? new Corrupt(code, message) : new Unavailable(code, message);
}
