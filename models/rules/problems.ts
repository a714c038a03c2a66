/** What is wrong with a pack that a person is writing, in words for them: each fault with its place, all at once. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { Sentence } from '../../protocol/event.ts';
import { SPEECH_CATEGORIES } from '../../protocol/observation.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { unheardForms } from './heard.ts';
import { loadRulePackFiles } from './load.ts';
import { draftShape, HAN, ID, UNKNOWN_SLOT } from './schema.ts';
import { writeRulePackFiles } from './write.ts';

export interface PackProblem {
  /** Phrase or rule that it is about; absent for the pack as a whole. */
  readonly phraseId?: string;
  readonly rule?: string;
  readonly form?: string;
  readonly words: Sentence;
}

/** The draft as a pack, from JSON that anybody may have sent, or the faults of it. */
export function readDraft(
  value: unknown,
): { pack: RulePack; problems: readonly PackProblem[] } | { problem: PackProblem } {
  const shaped = draftShape.safeParse(value);
  if (!shaped.success) {
    const issue = shaped.error.issues[0]!;
    const at = issue.path.join('.');
    return {
      problem: { words: { zh: `草稿格式不正确（${at}）。`, en: `The draft is malformed (${at}: ${issue.message}).` } },
    };
  }
  const pack = shaped.data as RulePack;
  const problems = [...packProblems(pack), ...phraseProblems(pack), ...ruleProblems(pack)];
  if (problems.length > 0) return { pack, problems };
  try {
    return { pack: loadRulePackFiles(writeRulePackFiles(pack)), problems: [] };
  } catch (error) {
    // Whatever the checks above do not know in words of their own; a fault of ours is no fault of the draft.
    if (!(error instanceof InvalidInput)) throw error;
    const reason = error.message;
    return {
      pack,
      problems: [{ words: { zh: `规则包未通过检查：${reason}`, en: `The pack did not pass: ${reason}` } }],
    };
  }
}

function packProblems({ name, version, title }: RulePack): PackProblem[] {
  const found: PackProblem[] = [];
  const say = (zh: string, en: string) => found.push({ words: { zh, en } });
  if (!ID.test(name))
    say(
      '规则包标识只能用小写字母、数字和连字符，最多 64 个字符。',
      'The name takes lower-case letters, digits and - only, at most 64.',
    );
  if (!/^\d{1,6}\.\d{1,6}\.\d{1,6}$/.test(version))
    say('版本号应为三段数字，例如 1.0.1。', 'A version is three numbers, for example 1.0.1.');
  if (title.zh.trim() === '' || title.en.trim() === '') say('标题不能为空。', 'The title is empty.');
  return found;
}

function phraseProblems(pack: RulePack): PackProblem[] {
  const found: PackProblem[] = [];
  const ids = new Set<string>();
  const forms = new Map<string, string>();
  for (const { phraseId, language, category, forms: list, citation, context } of pack.phrases) {
    const say = (zh: string, en: string, form?: string) =>
      found.push({ phraseId, ...(form === undefined ? {} : { form }), words: { zh, en } });
    if (!ID.test(phraseId))
      say(
        `编号“${phraseId}”只能用小写字母、数字和连字符。`,
        `The id "${phraseId}" takes lower-case letters, digits and - only.`,
      );
    if (ids.has(phraseId)) say(`编号“${phraseId}”重复。`, `The id "${phraseId}" is used twice.`);
    ids.add(phraseId);
    if (!(SPEECH_CATEGORIES as readonly string[]).includes(category)) say('类别不正确。', 'The category is not known.');
    if (list.length === 0) say('至少写一种说法。', 'Write at least one form.');
    if (list.length > 20) say('最多 20 种说法。', 'At most 20 forms.');
    if (citation.trim() === '') say('请写明依据：哪条法律或纪律。', 'Say which law or discipline stands behind it.');
    if (citation.length > 200) say('依据最多 200 个字符。', 'The citation takes at most 200 characters.');
    const zh = language.startsWith('zh');
    for (const form of [...list, ...(context?.needs ?? []), ...(context?.unless ?? [])]) {
      const bare = form.replace(/\{(BIDDER|NUMBER)\}/g, '').trim();
      if (form.trim() === '') say('有空白的说法，请删去。', 'A form is empty: take it out.', form);
      else if (form.length > 200) say('说法最多 200 个字符。', 'A form takes at most 200 characters.', form);
      else if (UNKNOWN_SLOT.test(form))
        say(
          `“${form}”中的占位不认识，只有 {BIDDER} 和 {NUMBER}。`,
          `"${form}" has a slot that is not known; there are {BIDDER} and {NUMBER}.`,
          form,
        );
      else if (bare !== '' && HAN.test(bare) !== zh)
        say(
          zh ? `“${form}”不是中文。` : `“${form}”不是英文。`,
          zh ? `"${form}" is not Chinese.` : `"${form}" is not English.`,
          form,
        );
    }
    for (const form of list) {
      const key = form.toLowerCase().replace(/[\s\p{P}]/gu, '');
      const other = forms.get(key);
      if (other !== undefined && key !== '')
        say(`“${form}”已写在 ${other} 中。`, `"${form}" stands under ${other} already.`, form);
      forms.set(key, phraseId);
    }
  }
  // What has no letters of its language is named above; here what cannot be heard.
  const named = new Set(found.map(({ phraseId, form }) => `${phraseId} ${form}`));
  for (const { phraseId, form, reason } of unheardForms(pack))
    if (!named.has(`${phraseId} ${form}`))
      found.push({
        phraseId,
        form,
        words:
          reason === 'short'
            ? {
                zh: `“${form}”太短，听不出来，请写两个以上的音节或单词。`,
                en: `"${form}" is too short to be heard: two syllables or words at least.`,
              }
            : {
                zh: `“${form}”含有读不出来的字母或符号，请按读音写成汉字。`,
                en: `"${form}" has letters or signs that cannot be read aloud: write it in characters as it is said.`,
              },
      });
  return found;
}

const LABELS: Readonly<Record<string, Sentence>> = {
  noticeMs: { zh: '提示时间', en: 'the time for a notice' },
  alarmMs: { zh: '告警时间', en: 'the time for an alarm' },
};

function ruleProblems({ rules }: RulePack): PackProblem[] {
  const found: PackProblem[] = [];
  for (const [rule, value] of Object.entries(rules) as [string, Readonly<Record<string, unknown>> | undefined][]) {
    if (!value) continue;
    const say = (zh: string, en: string) => found.push({ rule, words: { zh, en } });
    if (typeof value.citation !== 'string' || value.citation.trim() === '')
      say('请写明依据：哪条法律或纪律。', 'Say which law or discipline stands behind it.');
    for (const [key, number] of Object.entries(value)) {
      if (typeof number !== 'number') continue;
      const label = LABELS[key] ?? { zh: key, en: key };
      if (
        !Number.isFinite(number) ||
        number < 0 ||
        (key.endsWith('Ms') && (number > 86_400_000 || !Number.isInteger(number)))
      )
        say(`${label.zh}不正确：应在 0 到 24 小时之间。`, `${label.en} is wrong: from 0 to 24 hours.`);
    }
    const { noticeMs, alarmMs, leavingShare, returnShare } = value;
    if (typeof noticeMs === 'number' && typeof alarmMs === 'number' && noticeMs > alarmMs)
      say('提示时间不应长于告警时间。', 'A notice should not come later than the alarm.');
    if (noticeMs === null && alarmMs === null)
      say(
        '提示和告警都已关闭：请至少保留一个，或停用这条规则。',
        'Neither notice nor alarm: keep one, or switch the rule off.',
      );
    if (typeof leavingShare === 'number' && typeof returnShare === 'number' && leavingShare >= returnShare)
      say('离席比例必须小于返回比例。', 'The share for leaving must be below that for returning.');
  }
  return found;
}
