/** The thread on which drafts of rule packs are tried: one job after the other, so that live alerts never wait for them. */
import { parentPort } from 'node:worker_threads';
import { EvalroomError } from '../../protocol/errors.ts';
import { createRulesJobs, type RulesJob } from './rules-jobs.ts';

/** What the thread answers: a result, an error of ours, or words about one that is not. */
export type WorkerAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly kind: string; readonly code: string; readonly message: string };

const port = parentPort!;
const work = createRulesJobs();

port.on('message', (job: RulesJob) => {
  let answer: WorkerAnswer;
  try {
    answer = { ok: true, value: work(job) };
  } catch (error) {
    const known = error instanceof EvalroomError;
    const message = error instanceof Error ? error.message : String(error);
    answer = { ok: false, kind: known ? error.kind : 'Bug', code: known ? error.code : 'rules_job', message };
  }
  port.postMessage(answer);
});
