/** Evaluations of rooms as rows: a change, its step in the history, the room's order and the log entry commit together. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { Session } from '../../protocol/session.ts';
import type { EvaluationView, StepView } from '../http/sessions-api.ts';
import { addOrder } from './orders.ts';
import type { Reader, Tx } from './sql.ts';

/** One step further: the evaluation after it, what the box is told, and the words of the log. */
export interface EvaluationChange {
  readonly evaluation: EvaluationView;
  readonly step: Omit<StepView, 'n' | 'wallMs' | 'actor'>;
  /** What the room is told from now on. */
  readonly session: Session;
  readonly log: { readonly action: string; readonly object: string };
}

export interface By {
  readonly actor: string;
  readonly wallMs: number;
}

/** Part of the Store; each method is one transaction. */
export interface EvaluationStore {
  /** Throws InvalidInput `session_open` while another evaluation of the room has not ended. */
  begin(change: EvaluationChange, by: By): Promise<EvaluationView>;
  /** `next` is given the evaluation as it is, locked; it may run more than once. Undefined where there is none of this id. */
  change(
    sessionId: string,
    next: (before: EvaluationView) => EvaluationChange,
    by: By,
  ): Promise<EvaluationView | undefined>;
  find(sessionId: string): Promise<EvaluationView | undefined>;
  /** Those that are on: everywhere, or in these rooms. */
  open(roomIds?: readonly string[]): Promise<readonly EvaluationView[]>;
  /** Ended ones, newest first. */
  past(query: {
    readonly roomId?: string;
    readonly beforeWallMs?: number;
    readonly limit: number;
  }): Promise<readonly EvaluationView[]>;
  steps(sessionId: string): Promise<readonly StepView[]>;
}

interface Row {
  readonly json: string;
}
const view = ({ json }: Row) => JSON.parse(json) as EvaluationView;

/** See EvaluationStore.begin. */
export async function beginEvaluation(tx: Tx, change: EvaluationChange, by: By): Promise<EvaluationView> {
  const { evaluation } = change;
  const wallMs = Math.round(by.wallMs);
  const added = await tx.all<{ session_id: string }>(
    `insert into evaluations (session_id, room_id, begun_wall_ms, json) values ($1, $2, $3, '{}')
     on conflict do nothing returning session_id`,
    evaluation.sessionId,
    evaluation.roomId,
    wallMs,
  );
  if (added.length === 0)
    throw new InvalidInput(
      'session_open',
      `beginning an evaluation in room ${evaluation.roomId}: another one is on; end it first`,
    );
  return store(tx, change, 1, { ...by, wallMs });
}

/** See EvaluationStore.change. */
export async function changeEvaluation(
  tx: Tx,
  sessionId: string,
  next: (before: EvaluationView) => EvaluationChange,
  by: By,
): Promise<EvaluationView | undefined> {
  const rows = await tx.all<Row>(`select json from evaluations where session_id = $1${tx.forUpdate}`, sessionId);
  if (!rows[0]) return undefined;
  const change = next(view(rows[0]));
  const last = await tx.all<{ n: number }>(
    'select n from evaluation_steps where session_id = $1 order by n desc limit 1',
    sessionId,
  );
  return store(tx, change, (last[0]?.n ?? 0) + 1, { ...by, wallMs: Math.round(by.wallMs) });
}

async function store(tx: Tx, change: EvaluationChange, n: number, { actor, wallMs }: By): Promise<EvaluationView> {
  const { sessionId, roomId } = change.evaluation;
  const { revision } = await addOrder(tx, roomId, { session: change.session }, { actor, wallMs, ...change.log });
  const evaluation = { ...change.evaluation, revision };
  await tx.all(
    'update evaluations set json = $2, ended_wall_ms = $3 where session_id = $1',
    sessionId,
    JSON.stringify(evaluation),
    evaluation.endedWallMs ?? null,
  );
  await tx.all(
    'insert into evaluation_steps (session_id, n, wall_ms, actor, json) values ($1, $2, $3, $4, $5)',
    sessionId,
    n,
    wallMs,
    actor,
    JSON.stringify(change.step),
  );
  return evaluation;
}

/** See EvaluationStore.find. */
export async function findEvaluation(reader: Reader, sessionId: string): Promise<EvaluationView | undefined> {
  return (await reader.all<Row>('select json from evaluations where session_id = $1', sessionId)).map(view)[0];
}

/** See EvaluationStore.open. */
export async function openEvaluations(reader: Reader, roomIds?: readonly string[]): Promise<EvaluationView[]> {
  const rows =
    roomIds === undefined
      ? await reader.all<Row>('select json from evaluations where ended_wall_ms is null order by room_id')
      : await reader.all<Row>(
          `select json from evaluations where ended_wall_ms is null and ${reader.among('room_id', 1)} order by room_id`,
          roomIds,
        );
  return rows.map(view);
}

/** See EvaluationStore.past. */
export async function pastEvaluations(
  reader: Reader,
  { roomId, beforeWallMs, limit }: { roomId?: string; beforeWallMs?: number; limit: number },
): Promise<EvaluationView[]> {
  const before = beforeWallMs ?? Number.MAX_SAFE_INTEGER;
  const rows =
    roomId === undefined
      ? await reader.all<Row>(
          `select json from evaluations where ended_wall_ms is not null and begun_wall_ms < $1
           order by begun_wall_ms desc, session_id limit $2`,
          before,
          limit,
        )
      : await reader.all<Row>(
          `select json from evaluations where room_id = $3 and ended_wall_ms is not null and begun_wall_ms < $1
           order by begun_wall_ms desc, session_id limit $2`,
          before,
          limit,
          roomId,
        );
  return rows.map(view);
}

/** See EvaluationStore.steps. */
export async function listSteps(reader: Reader, sessionId: string): Promise<StepView[]> {
  const rows = await reader.all<{ n: number; wall_ms: number; actor: string; json: string }>(
    'select n, wall_ms, actor, json from evaluation_steps where session_id = $1 order by n',
    sessionId,
  );
  return rows.map(({ n, wall_ms: wallMs, actor, json }) => ({
    n,
    wallMs,
    actor,
    ...(JSON.parse(json) as Omit<StepView, 'n' | 'wallMs' | 'actor'>),
  }));
}
