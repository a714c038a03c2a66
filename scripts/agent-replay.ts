/** Does what `evalroom agent replay` says: finds the pack, listens, and prints what it would have raised. */
import { readFileSync } from 'node:fs';
import pino, { type Logger } from 'pino';
import { systemClock } from '../agent/clock.ts';
import { loadRoomConfig, type RoomConfig } from '../agent/config.ts';
import { readKept } from '../agent/orders.ts';
import { type Replay, replay } from '../agent/replay.ts';
import { createRulesHolder } from '../agent/rules.ts';
import { loadRulePack, loadRulePackFiles } from '../models/rules/load.ts';
import { EvalroomError, InvalidInput } from '../protocol/errors.ts';
import type { RulePackOrder } from '../protocol/orders.ts';
import type { RulePack } from '../protocol/rules.ts';

export interface ReplayOptions {
  readonly room: string;
  readonly rules?: string;
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** Prints to standard output. Throws InvalidInput `replay_rules`, `replay_time`, and what room.yaml and packs throw. */
export async function replayRoom(options: ReplayOptions): Promise<void> {
  const config = loadRoomConfig(options.room);
  const clock = systemClock();
  const log = pino({ level: 'silent' });
  const base = packInForce(config, log);
  const pack = options.rules === undefined ? base : packOf(options.rules);
  const fromWallMs = options.from === undefined ? 0 : timeOf('--from', options.from, config.layout.timeZone);
  const toWallMs = options.to === undefined ? clock.wallMs() : timeOf('--to', options.to, config.layout.timeZone);
  if (fromWallMs >= toWallMs) throw new InvalidInput('replay_time', '--from must lie before --to');
  if (!options.json)
    process.stderr.write(`${pack.name} ${pack.version} over what ${config.layout.roomId} still holds …\n`);
  const result = await replay({ config, pack, base, span: { fromWallMs, toWallMs }, clock, log });
  if (options.json) console.log(JSON.stringify(result));
  else print(result, config);
}

/** What the room runs: the cloud's order where the agent has kept one and trusts it, else what room.yaml names. */
function packInForce({ dataFolder, layout, rulePack, cloud }: RoomConfig, log: Logger): RulePack {
  const rules = createRulesHolder({ rulePack, keyFile: cloud.rulesKey });
  try {
    rules.take(readKept(dataFolder, layout.roomId, log).orders.rulePack);
  } catch (error) {
    if (!(error instanceof EvalroomError)) throw error;
    // The agent refuses it too, tells the cloud so, and goes on by the file.
    process.stderr.write(`the kept order of a rule pack is not in force: ${error.message}\n`);
  }
  return rules.current();
}

/** A name, a folder, or the file that the rule page gives. Its signature is no matter here: nothing of it comes into force. */
function packOf(rules: string): RulePack {
  if (!rules.endsWith('.json')) return loadRulePack(rules);
  let order: Partial<RulePackOrder>;
  try {
    order = JSON.parse(readFileSync(rules, 'utf8')) as Partial<RulePackOrder>;
  } catch (cause) {
    throw new InvalidInput('replay_rules', `--rules ${rules}: ${(cause as Error).message}`, cause);
  }
  if (typeof order.files !== 'object' || order.files === null)
    throw new InvalidInput('replay_rules', `--rules ${rules}: it is no rule pack; the rule page's download gives one`);
  return loadRulePackFiles(order.files);
}

/** An instant, ms since 1970. Without an offset it is the time on the room's wall, as this command prints it. */
export function timeOf(option: string, text: string, timeZone: string): number {
  const given = Date.parse(text);
  const wallMs = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? given : onTheWall(text, timeZone);
  if (Number.isFinite(wallMs)) return wallMs;
  throw new InvalidInput(
    'replay_time',
    `${option} ${text}: give a time of the room such as 2026-03-01T14:00, or one with its offset such as 2026-03-01T06:00Z`,
  );
}

/** NaN for what is no time. In the hour that a clock change repeats either of the two. */
function onTheWall(text: string, timeZone: string): number {
  // A date alone is midnight, as is usual; Date.parse takes only that form for UTC.
  const asUtcMs = Date.parse(`${text.includes('T') ? text : `${text}T00:00`}Z`);
  if (!Number.isFinite(asUtcMs)) return Number.NaN;
  const offset = (wallMs: number) => {
    const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(wallMs);
    const [, sign, hours, minutes = '0'] =
      /GMT([+-])(\d\d):?(\d\d)?/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '') ?? [];
    return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  };
  const near = asUtcMs - offset(asUtcMs);
  return asUtcMs - offset(near);
}

function print({ raised, sound, stored }: Replay, { layout }: RoomConfig): void {
  const time = new Intl.DateTimeFormat('sv-SE', { timeZone: layout.timeZone, dateStyle: 'short', timeStyle: 'medium' });
  for (const one of raised) {
    const level = one.level ?? 'nothing';
    const doubt = one.suspected ? ' (only suspected)' : '';
    const joins = one.begins || one.level === undefined ? '' : ' (same event)';
    console.log(
      `${time.format(one.wallMs)}  ${level.padEnd(7)}  ${one.text}  ${one.category}, ${one.phraseId}, ${one.sourceId}${doubt}${joins}`,
    );
  }
  if (raised.length === 0) console.log('nothing in the sound would be raised');
  for (const { sourceId, language, engine, segments, seconds, deaf } of sound)
    console.log(
      `listened to ${sourceId} in ${language} (${engine}): ${segments} segments, ${seconds} s${deaf === undefined ? '' : `; ${deaf}`}`,
    );
  console.log(`${stored.episodes} events wait in the outbox, ${stored.excerpts} of them with words`);
  for (const { change, behaviour, beganWallMs, before, after, hit, suspected } of stored.findings)
    console.log(
      `${time.format(beganWallMs)}  ${change.padEnd(8)}  ${behaviour}${hit ? `, ${hit.form} (${hit.phraseId})` : ''}: ${suspected ? 'suspected ' : ''}${before ?? 'nothing'} -> ${after ?? 'nothing'}`,
    );
}
