/** Changed evaluations on their way to open lines: in order, each one told, tried again where the store did not answer. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { OpenLine } from '../../../cloud/http/feed-line.ts';
import type { EvaluationView } from '../../../cloud/http/sessions-api.ts';
import { createSessionLines } from '../../../cloud/http/sessions-line.ts';
import { stillClock } from './still-clock.ts';

const poll = <T>(look: () => T) => expect.poll(look, { timeout: 9000, interval: 5 });
const evaluation = (roomId: string, revision: number) => ({ roomId, revision }) as EvaluationView;

function desk(ofRooms: (roomIds: readonly string[]) => Promise<readonly EvaluationView[]>) {
  const still = stillClock();
  const heard: { roomId: string; revision: number; evaluation?: EvaluationView }[] = [];
  const line: OpenLine = {
    put: (text) => {
      for (const [, body] of text.matchAll(/^data: (.*)$/gm)) heard.push(JSON.parse(body!));
    },
    end: () => undefined,
  };
  let change: (roomId: string, revision: number) => void = () => undefined;
  const join = createSessionLines({
    sessions: { onEnd: () => () => undefined },
    evaluations: { ofRooms },
    orders: {
      onChange(listener) {
        change = listener;
        return () => undefined;
      },
    },
    log: pino({ level: 'silent' }),
    clock: still.clock,
  });
  const leave = join('s', line);
  return { heard, change: (roomId: string, revision: number) => change(roomId, revision), leave, ...still };
}

describe('a changed evaluation', () => {
  it('is told after the one before it, however long that took to read', async () => {
    const answers: ((one: readonly EvaluationView[]) => void)[] = [];
    const { heard, change } = desk(() => new Promise((resolve) => void answers.push(resolve)));
    change('r1', 4);
    change('r1', 5);
    expect(answers).toHaveLength(1);
    answers[0]!([evaluation('r1', 4)]);
    await poll(() => answers.length).toBe(2);
    answers[1]!([]);
    await poll(() => heard).toEqual([
      { roomId: 'r1', revision: 4, evaluation: evaluation('r1', 4) },
      { roomId: 'r1', revision: 5 },
    ]);
  });

  it('that could not be read is read again, with all that changed meanwhile', async () => {
    let broken = true;
    const { heard, change, pass, sleepers } = desk(async (roomIds) => {
      if (broken) throw new Error('the store does not answer');
      return roomIds.map((roomId) => evaluation(roomId, 7));
    });
    change('r1', 7);
    change('r2', 7);
    await poll(sleepers).toBe(1);
    expect(heard).toEqual([]);
    broken = false;
    pass();
    await poll(() => heard.map(({ roomId }) => roomId).sort()).toEqual(['r1', 'r2']);
  });

  it('of many rooms at once is one question', async () => {
    const asked: number[] = [];
    const { heard, change } = desk(async (roomIds) => {
      asked.push(roomIds.length);
      return roomIds.map((roomId) => evaluation(roomId, 7));
    });
    for (let n = 0; n < 500; n++) change(`r${n}`, 7);
    await poll(() => heard.length).toBe(500);
    // The first one is on its way before the second is heard of.
    expect(asked).toEqual([1, 499]);
  });
});
