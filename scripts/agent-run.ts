/** Runs the agent as a process; tells a parent over IPC when the first frame was looked at and what was decided. */
import { systemClock } from '../agent/clock.ts';
import { loadRoomConfig } from '../agent/config.ts';
import { createLog } from '../agent/log.ts';
import { startAgent } from '../agent/main.ts';
import type { RoomEvent } from '../protocol/event.ts';
import { runPart, tellParent } from './part.ts';

/** Runs until SIGINT or SIGTERM. Throws EvalroomError when the room.yaml, its rule pack or its data folder can not be used. */
export async function serveAgent(path: string): Promise<void> {
  const config = loadRoomConfig(path);
  const log = createLog({ name: 'agent' });
  for (const warning of config.warnings) log.warn(warning);
  const time = new Intl.DateTimeFormat('sv-SE', { timeZone: config.layout.timeZone, timeStyle: 'medium' });
  await runPart(async (signal) => {
    const agent = await startAgent(config, {
      clock: systemClock(),
      log,
      signal,
      onFirstFrame: () => tellParent({ firstFrame: true }),
      onEvent: (event) => tellParent(wordsOf(event, time)),
    });
    return {
      ready: { roomId: config.layout.roomId, modelSet: agent.modelSet },
      onOrder(order) {
        if (order.cost === true) tellParent({ cost: agent.cost() });
      },
      close: () => agent.close(),
    };
  });
}

/** What a parent hears of an accepted event: its ids, and a sentence for a person where it is an episode. */
function wordsOf(event: RoomEvent, time: Intl.DateTimeFormat): Record<string, unknown> {
  const { eventId, streamId, seq, body, at } = event;
  const ids = { eventId, streamId, seq, kind: body.kind, atMonoMs: at.monoMs };
  if (body.kind !== 'episode') return ids;
  const { episodeId, phase, behaviour, level, seatIds, transcript } = body;
  const engine = transcript ? { engine: transcript.engine } : {};
  const sentence = `${body.sentence.zh} · ${body.sentence.en}${phase === 'end' ? ' · 结束 ended' : ''}`;
  return { ...ids, ...engine, episodeId, phase, behaviour, level, seatIds, sentence, time: time.format(at.wallMs) };
}
