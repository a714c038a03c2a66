/** Rule packs: the shipped ones are whole, and a broken one is refused with file, place and reason. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { builtInRulePacks, loadRulePack, loadRules } from '../../../../models/rules/load.ts';
import { SPEECH_CATEGORIES } from '../../../../protocol/observation.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evalroom-rules-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const PACK = `name: province
version: '2.1.0'
title: { zh: 某省规则, en: Rules of a province }
cooldownMs: 60000
rules:
  extra_person: { citation: 纪律, noticeMs: null, alarmMs: 5000 }
phrases: [words.yaml]
`;
const WORDS = `language: zh-CN
phrases:
  - { id: a-1, category: prohibited, forms: [把分数改一改], citation: 纪律 }
`;

let count = 0;
function folder(pack: string, words = WORDS): string {
  const path = join(scratch, `pack-${count++}`);
  mkdirSync(path);
  writeFileSync(join(path, 'pack.yaml'), pack);
  writeFileSync(join(path, 'words.yaml'), words);
  return path;
}
const refusal = (pack: string, words?: string) => {
  try {
    loadRulePack(folder(pack, words));
  } catch (error) {
    return error as Error & { kind: string; code: string };
  }
  throw new Error('the pack was accepted');
};

describe('the shipped packs', () => {
  it('are default, demo and eval', () => {
    expect(builtInRulePacks()).toEqual(['default', 'demo', 'eval']);
  });

  it('has the thresholds that the default behaviours state', () => {
    const { rules, phrases } = loadRulePack('default');
    expect(rules.left_seat).toMatchObject({
      noticeMs: 30_000,
      alarmMs: 300_000,
      cumulativeAlarmMs: 1_200_000,
      windowMs: 10_000,
      onDutyShare: 0.6,
      leavingShare: 0.2,
      returnShare: 0.5,
    });
    expect(rules.too_far).toMatchObject({ noticeMs: 10_000, alarmMs: 60_000, distanceM: 1.5, shoulderWidths: 2 });
    expect(rules.extra_person).toMatchObject({ alarmMs: 5000 });
    expect(rules.camera_fault).toMatchObject({ coveredMs: 5000, frozenMs: 5000, downMs: 15_000, movedShift: 0.05 });
    expect(rules.microphone_fault).toMatchObject({ mutedMs: 60_000, mutedDropDb: 20, downMs: 10_000 });
    expect(phrases.filter((p) => p.language === 'zh-CN').length).toBeGreaterThanOrEqual(40);
    expect(phrases.filter((p) => p.language === 'en').length).toBeGreaterThanOrEqual(20);
  });

  it('shortens the seat rule for the demo and for measuring', () => {
    expect(loadRulePack('demo').rules.left_seat).toMatchObject({ noticeMs: 10_000, alarmMs: 30_000 });
    expect(loadRulePack('eval').rules.left_seat).toMatchObject({ noticeMs: 5000, alarmMs: 5000, windowMs: 2000 });
  });

  it.each(builtInRulePacks())('%s has phrases of every category, each with a citation', (name) => {
    const { phrases } = loadRulePack(name);
    for (const category of SPEECH_CATEGORIES)
      for (const language of ['zh-CN', 'en'])
        expect(phrases.some((p) => p.category === category && p.language === language)).toBe(true);
    expect(phrases.every((p) => p.citation.length > 4)).toBe(true);
  });
});

describe('loadRules', () => {
  it('reads a pack by name, by folder and by its file', () => {
    expect(loadRules('demo').name).toBe('demo');
    const place = folder(PACK);
    expect(loadRules(place)).toEqual(loadRulePack(place));
    expect(loadRules(join(place, 'pack.yaml'))).toEqual(loadRulePack(place));
  });

  it('reads phrases alone, by language, folder or file, with the thresholds of the default pack', () => {
    const chinese = loadRules('zh-CN');
    expect(new Set(chinese.phrases.map(({ language }) => language))).toEqual(new Set(['zh-CN']));
    expect(chinese.rules).toEqual(loadRulePack('default').rules);
    expect(loadRules(join(import.meta.dirname, '../../../../models/rules/zh-CN'))).toEqual(chinese);
    const place = join(scratch, 'words-alone');
    mkdirSync(place);
    writeFileSync(join(place, 'words.yaml'), WORDS);
    expect(loadRules(place).phrases.map(({ phraseId }) => phraseId)).toEqual(['a-1']);
    expect(loadRules(join(place, 'words.yaml')).phrases).toHaveLength(1);
  });

  it('names what there is where it finds nothing', () => {
    expect(() => loadRules(join(scratch, 'nowhere'))).toThrow(/default, demo, eval/);
  });
});

describe('loadRulePack', () => {
  it('reads a folder', () => {
    const pack = loadRulePack(folder(PACK));
    expect(pack).toMatchObject({ name: 'province', version: '2.1.0', cooldownMs: 60_000 });
    expect(pack.rules.left_seat).toBeUndefined();
    expect(pack.phrases).toEqual([
      { phraseId: 'a-1', language: 'zh-CN', category: 'prohibited', forms: ['把分数改一改'], citation: '纪律' },
    ]);
  });

  it('names the packs that exist when one does not', () => {
    expect(() => loadRulePack('nowhere')).toThrowError(
      expect.objectContaining({ code: 'rule_pack_unknown', message: expect.stringContaining('default, demo, eval') }),
    );
  });

  it.each([
    ['an unknown key', PACK.replace('cooldownMs', 'coolDownMs'), 'coolDownMs'],
    ['a wrong type', PACK.replace('alarmMs: 5000', 'alarmMs: soon'), 'rules.extra_person.alarmMs'],
    ['a rule that does not exist', PACK.replace('extra_person', 'extra_persons'), 'extra_persons'],
    ['a rule without a citation', PACK.replace('citation: 纪律, ', ''), 'rules.extra_person.citation'],
    ['a version that is a number', PACK.replace("'2.1.0'", '2.1'), 'version'],
    ['broken YAML', PACK.replace('title: {', 'title: {{'), 'line 4'],
    ['a missing file of phrases', PACK.replace('words.yaml', 'other.yaml'), 'other.yaml'],
  ])('refuses %s', (_what, pack, place) => {
    const error = refusal(pack);
    expect(error).toMatchObject({ kind: 'InvalidInput', code: 'rule_pack_invalid' });
    expect(error.message).toContain(place);
    expect(error.message).toContain('.yaml');
  });

  it.each([
    ['an unknown category', WORDS.replace('prohibited', 'rude'), 'phrases.0.category'],
    ['no form', WORDS.replace('[把分数改一改]', '[]'), 'phrases.0.forms'],
    ['another language in the file', WORDS.replace('把分数改一改', 'change the scores'), 'phrases.0.forms'],
    [
      'one id twice',
      `${WORDS}  - { id: a-1, category: prohibited, forms: [分数], citation: 纪律 }\n`,
      'a-1 is used twice',
    ],
    [
      'one form twice',
      `${WORDS}  - { id: a-2, category: suggestive, forms: [把分数，改一改], citation: 纪律 }\n`,
      'a-1 and under a-2',
    ],
  ])('refuses phrases with %s', (_what, words, place) => {
    expect(refusal(PACK, words).message).toContain(place);
  });

  it('takes topics that count as on the subject, and refuses what is none', () => {
    const rule = (topics: string) =>
      PACK.replace(
        '  extra_person:',
        `  off_subject: { citation: 纪律, windowMs: 60000, units: 60, share: 0.05, noticeMs: 180000, topics: ${topics} }\n  extra_person:`,
      );
    expect(loadRulePack(folder(rule('[电梯, asphalt]'))).rules.off_subject?.topics).toEqual(['电梯', 'asphalt']);
    expect(refusal(rule('[7]')).code).toBe('rule_pack_invalid');
  });
});
