/** Reads labels.json as people and tools write it: what can be understood is taken, what cannot is named and left out, the rest goes on. */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { InvalidInput } from '../protocol/errors.ts';
import type { LeftOut, SpeechClip } from './eval-speech-score.ts';

export interface Labels {
  /** Entries of the file, whatever became of them. */
  readonly entries: number;
  readonly clips: readonly SpeechClip[];
  readonly leftOut: readonly LeftOut[];
}

/** Other names of the languages that an engine may hear. */
const LANGUAGES: Readonly<Record<string, string>> = {
  cmn: 'zh',
  zho: 'zh',
  chi: 'zh',
  mandarin: 'zh',
  chinese: 'zh',
  中文: 'zh',
  汉语: 'zh',
  普通话: 'zh',
  eng: 'en',
  english: 'en',
  英语: 'en',
};

/** `zh-CN`, `ZH`, `cmn` and `zh_CN.UTF-8` are all zh. */
export function languageOf(name: string): string {
  const first = name.trim().toLowerCase().split(/[-_.]/)[0]!;
  return LANGUAGES[first] ?? first;
}

type Fields = Readonly<Record<string, unknown>>;

/** Why an entry cannot be used. */
class Unusable extends Error {}

/** Takes `dir`/labels.json. Throws InvalidInput `bad_labels` where nothing in it can be read as clips. */
export function readLabels(dir: string): Labels {
  const path = join(dir, 'labels.json');
  const bad = (why: string, cause?: unknown) => new InvalidInput('bad_labels', `reading ${path}: ${why}`, cause);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw bad('it cannot be read; --dir must name a folder with a labels.json', error);
  }
  let parsed: unknown;
  try {
    // Editors on Windows begin a file with a byte order mark.
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw bad(`it is not JSON: ${(error as Error).message}`, error);
  }
  const list = Array.isArray(parsed) ? parsed : (parsed as Fields | null)?.clips;
  if (!Array.isArray(list)) throw bad('it has no list of clips: {"clips": [{"file": …, "language": …}]} is needed');
  const clips: SpeechClip[] = [];
  const leftOut: LeftOut[] = [];
  for (const [index, entry] of list.entries()) {
    try {
      clips.push(clipOf(dir, entry));
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      const file = (entry as Fields | null)?.file;
      leftOut.push({
        file: typeof file === 'string' ? file : `clips[${index}]`,
        reason: `${path}: clips[${index}]${error.message}`,
      });
    }
  }
  return { entries: list.length, clips, leftOut };
}

function clipOf(dir: string, entry: unknown): SpeechClip {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new Unusable(' is not an object');
  const fields = entry as Fields;
  const { file } = fields;
  if (typeof file !== 'string' || file === '') throw new Unusable('.file names no file');
  const path = isAbsolute(file) ? file : join(dir, file);
  if (!existsSync(path)) throw new Unusable(`.file: there is no ${path}`);
  const transcript = typeof fields.transcript === 'string' ? fields.transcript : undefined;
  const said = saidIn(fields);
  const durationS = numberOf(fields.duration_s);
  return {
    file,
    language: languageIn(fields, [...said.map(({ phrase }) => phrase), transcript ?? ''].join('')),
    category: typeof fields.category === 'string' && fields.category !== '' ? fields.category : null,
    said,
    ...(transcript ? { transcript } : {}),
    ...(durationS !== undefined && durationS > 0 ? { labelledS: durationS } : {}),
  };
}

function languageIn({ language }: Fields, words: string): string {
  if (typeof language === 'string' && language.trim() !== '') return languageOf(language);
  if (language !== undefined && language !== null) throw new Unusable('.language is not a name such as "zh" or "en"');
  if (/\p{Script=Han}/u.test(words)) return 'zh';
  if (/[a-z]/i.test(words)) return 'en';
  throw new Unusable('.language is missing, and there are no words to tell it from');
}

function saidIn(fields: Fields): SpeechClip['said'] {
  const { phrase, phrases, phrase_end_s: end } = fields;
  const list =
    Array.isArray(phrases) && phrases.length > 0 ? phrases : phrase === null || phrase === undefined ? [] : [phrase];
  const ends = Array.isArray(end) ? end : list.length === 1 ? [end] : [];
  return list.flatMap((one, i) => {
    if (typeof one !== 'string') throw new Unusable(`.phrase${list === phrases ? `s[${i}]` : ''} is not a text`);
    const endS = numberOf(ends[i]);
    return one.trim() === '' ? [] : [{ phrase: one.trim(), ...(endS === undefined ? {} : { endS }) }];
  });
}

/** A number, or one that was written as a text. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
