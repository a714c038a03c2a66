/** Why an ear or an eye does not work: every code in both languages, and what this page does not know as the box says it. */
import { describe, expect, it } from 'vitest';
import { blindWords, whyWords } from '../../../cloud/web/words/why.ts';
import { because, NAMED_MAX, reasonOf, shortWhys, WHY_CODES } from '../../../protocol/why.ts';

describe('why an ear does not hear', () => {
  it("is said in the reader's language", () => {
    const why = [because('no_model_en', { folder: '/m' }), { ...because('deaf_to', { phrases: 'p1' }), of: 'vosk' }];
    const reason = reasonOf(why);
    expect(reason).toBe(
      'no English model in /m; run: apt-get install libpocketsphinx3 pocketsphinx-en-us; vosk deaf to p1',
    );
    expect(whyWords(why, reason, 'zh')).toBe(
      '/m 中没有英语模型；请运行：apt-get install libpocketsphinx3 pocketsphinx-en-us；vosk：听不出这些词句：p1',
    );
    expect(whyWords(why, reason, 'en')).toBe(reason);
  });

  it.each(WHY_CODES)('%s has Chinese words with the same parameters', (code) => {
    const slots = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
    const zh = whyWords([{ code }], undefined, 'zh')!;
    expect(zh).toMatch(/\p{Script=Han}/u);
    // Which language a set of phrases is for is all that is named in both.
    expect(slots(zh)).toEqual(slots(reasonOf([{ code }])!));
  });

  it('of a code from another version is what the box says, and so is that of an old box', () => {
    expect(whyWords([because('starting'), { code: 'of_tomorrow' }], 'starting; tomorrow', 'zh')).toBe(
      'starting; tomorrow',
    );
    expect(whyWords(undefined, 'no model', 'zh')).toBe('no model');
    expect(whyWords(undefined, undefined, 'zh')).toBeUndefined();
  });

  it('is of a length that can be sent', () => {
    const [why] = shortWhys([because('deaf_to', { phrases: 'p'.repeat(1000) })]);
    expect(why!.named!.phrases).toHaveLength(NAMED_MAX);
    expect(shortWhys(Array.from({ length: 20 }, () => because('starting'))).length).toBeLessThan(20);
  });
});

describe('why nothing looks at a picture', () => {
  it('is said by its code, or by the fault itself', () => {
    expect(blindWords({ fault: 'covered' }, 'zh')).toBe('镜头被遮挡');
    const why = [because('detector_down', { error: 'out of memory' })];
    expect(blindWords({ fault: 'detector: out of memory', why }, 'zh')).toBe('人体检测模型出错：out of memory');
    expect(blindWords({ fault: 'as it says', why: [{ code: 'of_tomorrow' }] }, 'zh')).toBe('as it says');
  });
});
