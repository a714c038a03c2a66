/** Labels as people and tools write them: what can be understood is, what cannot is named with its place. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readLabels } from '../../../scripts/eval-speech-labels.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evalroom-labels-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
function folder(text: string): string {
  const dir = join(scratch, String(count++));
  mkdirSync(dir);
  writeFileSync(join(dir, 'a.wav'), '');
  writeFileSync(join(dir, 'labels.json'), text);
  return dir;
}
const read = (...entries: unknown[]) => readLabels(folder(JSON.stringify({ clips: entries })));

describe('readLabels', () => {
  it('reads a clip with little beside its file', () => {
    expect(read({ file: 'a.wav', language: 'zh' }).clips).toEqual([
      { file: 'a.wav', language: 'zh', category: null, said: [] },
    ]);
  });

  it.each([
    ['ZH', 'zh'],
    ['zh-CN', 'zh'],
    ['cmn', 'zh'],
    ['zh_CN', 'zh'],
    ['en-US', 'en'],
    ['yue', 'yue'],
  ])('takes %s for %s', (language, own) => {
    expect(read({ file: 'a.wav', language }).clips[0]!.language).toBe(own);
  });

  it('tells the language by the words where none is named', () => {
    expect(read({ file: 'a.wav', phrase: '内定了' }).clips[0]!.language).toBe('zh');
    expect(read({ file: 'a.wav', transcript: 'go on' }).clips[0]!.language).toBe('en');
  });

  it.each([
    [{ phrase: 'a b', phrase_end_s: 2.5 }, [{ phrase: 'a b', endS: 2.5 }]],
    [{ phrase: 'a b', phrase_end_s: null }, [{ phrase: 'a b' }]],
    [{ phrase: 'a b', phrase_end_s: [2.5] }, [{ phrase: 'a b', endS: 2.5 }]],
    [
      { phrase: null, phrases: ['a b', 'c d'], phrase_end_s: [2.5, null] },
      [{ phrase: 'a b', endS: 2.5 }, { phrase: 'c d' }],
    ],
    [{ phrases: ['a b', 'c d'], phrase_end_s: 2.5 }, [{ phrase: 'a b' }, { phrase: 'c d' }]],
    [{ phrase: 'a b', phrases: [], phrase_end_s: '2.5' }, [{ phrase: 'a b', endS: 2.5 }]],
  ])('reads phrases and their ends from %j', (fields, said) => {
    expect(read({ file: 'a.wav', language: 'en', ...fields }).clips[0]!.said).toEqual(said);
  });

  it('reads a bare list, and one that begins with a byte order mark', () => {
    expect(readLabels(folder('[{"file":"a.wav","language":"zh"}]')).clips).toHaveLength(1);
    expect(readLabels(folder('\uFEFF{"clips":[{"file":"a.wav","language":"zh"}]}')).clips).toHaveLength(1);
  });

  it('names what it cannot read and goes on', () => {
    const { entries, clips, leftOut } = read(
      { file: 'a.wav', language: 'zh' },
      { file: 'gone.wav', language: 'zh' },
      { language: 'zh' },
      'a.wav',
      { file: 'a.wav', language: 'zh', phrase: 7 },
      { file: 'a.wav' },
    );
    expect([entries, clips.length]).toEqual([6, 1]);
    expect(leftOut.map(({ file }) => file)).toEqual(['gone.wav', 'clips[2]', 'clips[3]', 'a.wav', 'a.wav']);
    expect(leftOut.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('there is no'),
      expect.stringContaining('clips[2].file'),
      expect.stringContaining('clips[3] is not an object'),
      expect.stringContaining('clips[4].phrase is not a text'),
      expect.stringContaining('clips[5].language is missing'),
    ]);
  });

  it.each(['', '{', '{"clips": 3}', '7'])('refuses %j', (text) => {
    expect(() => readLabels(folder(text))).toThrow(expect.objectContaining({ code: 'bad_labels' }));
  });
});
