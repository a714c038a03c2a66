/** A rule pack that the cloud orders while the room runs: what is taken, what is refused, and what becomes of what is going on. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createRulesHolder } from '../../../agent/rules.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { createWatch } from '../../../agent/watch.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import { signRulePack } from '../../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../../models/rules/write.ts';
import type { RoomEvent } from '../../../protocol/event.ts';
import type { PhraseObservation } from '../../../protocol/observation.ts';
import type { RulePack } from '../../../protocol/rules.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';

const folder = mkdtempSync(join(tmpdir(), 'evalroom-box-rules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const keyFile = join(folder, 'rules.pem');
writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
const own = loadRulePack('default');
const other = { ...own, name: 'province', version: '7.1.0' };
const order = signRulePack(writeRulePackFiles(other), privateKey);

describe('the rule pack in force', () => {
  it('is that of room.yaml, then the ordered one, then that of room.yaml again', () => {
    const rules = createRulesHolder({ rulePack: 'default', keyFile });
    const heard: string[] = [];
    rules.onChange((pack, before) => heard.push(`${before.name} → ${pack.name} ${pack.version}`));
    rules.take(order);
    expect(rules.current()).toEqual(other);
    rules.take(undefined);
    expect(rules.current()).toEqual(own);
    rules.take(undefined);
    expect(heard).toEqual(['default → province 7.1.0', `province → default ${own.version}`]);
  });

  it('stays as it was when an order is not to be trusted', () => {
    const rules = createRulesHolder({ rulePack: 'default', keyFile });
    rules.take(order);
    const forged = { ...order, files: { ...order.files, 'pack.yaml': `${order.files['pack.yaml']}\n` } };
    expect(() => rules.take(forged)).toThrowError(expect.objectContaining({ code: 'rule_pack_forged' }));
    expect(rules.current().name).toBe('province');
    const strange = createRulesHolder({ rulePack: 'default', keyFile: join(folder, 'absent.pem') });
    expect(() => strange.take(order)).toThrowError(expect.objectContaining({ code: 'rule_pack_key' }));
    writeFileSync(join(folder, 'bad.pem'), 'nothing');
    const broken = createRulesHolder({ rulePack: 'default', keyFile: join(folder, 'bad.pem') });
    expect(() => broken.take(order)).toThrowError(expect.objectContaining({ code: 'rules_key_bad' }));
  });
});

describe('watch under another rule pack', () => {
  const clock = () => virtualClock();
  const phrase = (at: ReturnType<ReturnType<typeof clock>['now']>, monoMs: number): PhraseObservation => ({
    kind: 'phrase',
    microphoneId: 'mic-1',
    at,
    engine: 'scripted',
    language: 'zh-CN',
    phraseId: 'zh-pro-01',
    category: 'prohibited',
    text: '中标的人早就定好了',
    score: -1,
    threshold: -2,
    beginMonoMs: monoMs - 1000,
    endMonoMs: monoMs,
  });

  function begin() {
    const time = clock();
    const outbox = memoryOutbox({ roomId: 'room-1', clock: time, quotaEvents: 100 });
    const context = { layout: EMPTY_ROOM, pack: own, runId: 'run' };
    const watch = createWatch({ context, outbox, clock: time, log: pino({ level: 'silent' }) });
    const heard: RoomEvent[] = [];
    watch.onEvent((event) => void heard.push(event));
    const episodes = () =>
      heard.flatMap(({ body }) => (body.kind === 'episode' && body.behaviour === 'speech_prohibited' ? [body] : []));
    const now = time.now();
    watch.observe(phrase(now, now.monoMs));
    return { watch, episodes, now };
  }

  it('lets an open episode go on under its id, and cites the new pack', () => {
    const { watch, episodes, now } = begin();
    watch.repack(other);
    watch.observe(phrase({ ...now, monoMs: now.monoMs + 4000 }, now.monoMs + 4000));
    expect(episodes().map(({ phase, episodeId, rule }) => [phase, episodeId, rule.packVersion])).toEqual([
      ['begin', 'run-1', own.version],
      ['update', 'run-1', '7.1.0'],
    ]);
  });

  it('ends what the new pack does not look for, and hears nothing of it any more', () => {
    const { watch, episodes, now } = begin();
    const { speech_prohibited: _off, ...rules } = other.rules;
    watch.repack({ ...other, rules });
    watch.observe(phrase({ ...now, monoMs: now.monoMs + 4000 }, now.monoMs + 4000));
    expect(episodes().map(({ phase }) => phase)).toEqual(['begin', 'end']);
    expect(episodes().at(-1)?.sentence.zh).toContain('province 7.1.0');
    watch.repack(own);
    watch.observe(phrase({ ...now, monoMs: now.monoMs + 9000 }, now.monoMs + 9000));
    expect(episodes().at(-1)).toMatchObject({ phase: 'begin', figures: [{ name: 'hits', value: 1 }, {}] });
  });

  it('takes the gravity of a phrase over that of its category', () => {
    const { watch, episodes, now } = begin();
    const phrases = own.phrases.map((one) => ({ ...one, gravity: 'notice' as const }));
    const { speech_prohibited } = own.rules;
    watch.repack({
      ...own,
      phrases,
      rules: { ...own.rules, speech_prohibited: { ...speech_prohibited!, alarmAfter: null } },
    });
    watch.observe({ kind: 'tick', at: { ...now, monoMs: now.monoMs + 10_000 } });
    watch.observe(phrase({ ...now, monoMs: now.monoMs + 20_000 }, now.monoMs + 20_000));
    expect(episodes().map(({ phase, level }) => [phase, level])).toEqual([
      ['begin', 'alarm'],
      ['end', 'alarm'],
      ['begin', 'notice'],
    ]);
  });

  describe('where rules share a behaviour', () => {
    const pack: RulePack = {
      ...own,
      rules: {
        ...own.rules,
        microphone_fault: { ...own.rules.microphone_fault!, clippingMs: 10_000, speechlessMs: null },
        off_subject: { citation: 'subject', windowMs: 60_000, units: 60, share: 0.2, noticeMs: 20_000 },
      },
    };
    function open() {
      const time = clock();
      const outbox = memoryOutbox({ roomId: 'room-1', clock: time, quotaEvents: 100 });
      const context = { layout: EMPTY_ROOM, pack, runId: 'run' };
      const watch = createWatch({ context, outbox, clock: time, log: pino({ level: 'silent' }) });
      const heard: string[] = [];
      watch.onEvent(({ body }) => {
        if (body.kind === 'episode') heard.push(`${body.phase} ${body.behaviour}`);
      });
      const listen = async (seconds: number, clipped: number, covered: number) => {
        for (let s = 0; s < seconds; s += 1) {
          await time.advance(1000);
          const { rmsDb, peakDb } = { rmsDb: -40, peakDb: -20 };
          const at = time.now();
          watch.observe({ kind: 'level', microphoneId: 'mic', at, rmsDb, peakDb, speech: 1, clipped });
          if (s % 5 === 0) {
            const talk = { spanMs: 5000, units: 20, covered };
            watch.observe({ kind: 'talk', microphoneId: 'mic', language: 'zh-CN', at, ...talk });
          }
        }
      };
      return { watch, heard, listen };
    }

    it('goes on with poor sound under the same pack, as one episode', async () => {
      const { watch, heard, listen } = open();
      await listen(15, 0.01, 20);
      expect(heard).toEqual(['begin microphone_fault']);
      watch.repack({ ...pack, version: '2.0.0' });
      await listen(15, 0.01, 20);
      await listen(60, 0, 20);
      expect(heard.filter((line) => !line.startsWith('update'))).toEqual([
        'begin microphone_fault',
        'end microphone_fault',
      ]);
    });

    it('ends poor sound when only its threshold goes, and begins anew when that is back', async () => {
      const { watch, heard, listen } = open();
      await listen(15, 0.01, 20);
      const { clippingMs: _off, ...rest } = pack.rules.microphone_fault!;
      watch.repack({ ...pack, rules: { ...pack.rules, microphone_fault: { ...rest, clippingMs: null } } });
      expect(heard.at(-1)).toBe('end microphone_fault');
      await listen(15, 0.01, 20);
      expect(heard.at(-1)).toBe('end microphone_fault');
      watch.repack(pack);
      await listen(40, 0.01, 20);
      expect(heard.filter((line) => line.startsWith('begin'))).toHaveLength(2);
    });

    it('ends talk off the subject with its own rule, not with that of the words', async () => {
      const { watch, heard, listen } = open();
      await listen(60, 0, 0);
      expect(heard).toContain('begin speech_irrelevant');
      const { speech_irrelevant: _words, ...words } = pack.rules;
      watch.repack({ ...pack, rules: words });
      expect(heard).not.toContain('end speech_irrelevant');
      const { off_subject: _talk, ...talk } = pack.rules;
      watch.repack({ ...pack, rules: talk });
      expect(heard.at(-1)).toBe('end speech_irrelevant');
    });
  });
});
