/** The shape of a rule pack's files as people write them: pack.yaml with thresholds, and files with phrases. */
import { z } from 'zod';
import { SPEECH_CATEGORIES } from '../../protocol/observation.ts';

const ms = z.int().min(0).max(86_400_000);
const share = z.number().min(0).max(1);
const text = z.string().trim().min(1).max(200);
const base = { citation: text };
const level = z.enum(['notice', 'alarm']);
const positive = z.number().positive();
const twoLevels = { ...base, noticeMs: ms.nullable(), alarmMs: ms.nullable() };
const speech = z.strictObject({
  ...base,
  level,
  alarmAfter: z.int().min(1).nullable(),
  mergeMs: ms,
  suspected: z.enum(['off', 'notice']).exactOptional(),
});

const rules = z.strictObject({
  left_seat: z
    .strictObject({
      ...twoLevels,
      cumulativeAlarmMs: ms.nullable(),
      windowMs: ms.min(500),
      onDutyShare: share,
      leavingShare: share,
      returnShare: share,
    })
    .refine((rule) => rule.leavingShare < rule.returnShare, 'leavingShare must be below returnShare')
    .exactOptional(),
  too_far: z
    .strictObject({ ...twoLevels, distanceM: z.number().positive(), shoulderWidths: z.number().positive() })
    .exactOptional(),
  extra_person: z.strictObject(twoLevels).exactOptional(),
  left_room: z.strictObject(twoLevels).exactOptional(),
  left_together: z
    .strictObject({ ...base, level, withinMs: ms.min(1000), people: z.int().min(2).max(50) })
    .exactOptional(),
  at_other_seat: z.strictObject({ ...twoLevels, shoulderWidths: positive }).exactOptional(),
  whispering: z
    .strictObject({ ...twoLevels, shoulderWidths: positive, repeats: z.int().min(2).nullable(), repeatMs: ms })
    .exactOptional(),
  gathering: z
    .strictObject({ ...twoLevels, people: z.int().min(3).max(50), distanceM: positive, shoulderWidths: positive })
    .exactOptional(),
  phone: z.strictObject(twoLevels).exactOptional(),
  passing_items: z.strictObject({ ...twoLevels, shoulderWidths: positive }).exactOptional(),
  sleeping: z.strictObject(twoLevels).exactOptional(),
  walking_about: z.strictObject({ ...base, level, metresPerMinute: positive }).exactOptional(),
  not_complete: z.strictObject({ ...base, level, emptyMs: ms, startMs: ms }).exactOptional(),
  late_or_early: z.strictObject({ ...base, level, lateMs: ms, earlyMs: ms }).exactOptional(),
  standing: z.strictObject({ ...twoLevels, rise: positive }).exactOptional(),
  camera_fault: z
    .strictObject({
      ...base,
      coveredMs: ms,
      coveredEdgeFall: share,
      darkMs: ms.nullable().exactOptional(),
      movedMs: ms,
      movedShift: share,
      frozenMs: ms,
      downMs: ms,
    })
    .exactOptional(),
  microphone_fault: z
    .strictObject({
      ...base,
      mutedMs: ms,
      mutedDropDb: z.number().positive(),
      downMs: ms,
      deafMs: ms,
      clippingMs: ms.nullable().exactOptional(),
      speechlessMs: ms.nullable().exactOptional(),
    })
    .exactOptional(),
  speech_prohibited: speech.exactOptional(),
  speech_suggestive: speech.exactOptional(),
  speech_tendentious: speech.exactOptional(),
  speech_irrelevant: speech.exactOptional(),
  speech_fee: speech.exactOptional(),
  off_subject: z
    .strictObject({
      ...base,
      windowMs: ms.min(10_000),
      units: z.int().min(10),
      share,
      noticeMs: ms,
      topics: z.array(z.string().trim().min(1).max(40)).max(200).exactOptional(),
    })
    .exactOptional(),
  outside_contact: z.strictObject({ ...base, level, turns: z.int().min(2), pauseMs: ms.min(500) }).exactOptional(),
});

/** Names of packs, phrases and contexts. */
export const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** What makes a form Mandarin. */
export const HAN = /\p{Script=Han}/u;
/** A slot that there is not. */
export const UNKNOWN_SLOT = /\{(?!BIDDER\}|NUMBER\})[^}]*\}?/;

const id = z.string().regex(ID, 'lower-case letters, digits and - only');

/** pack.yaml. */
export const packFile = z.strictObject({
  name: id,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be like "1.0.0", in quotes'),
  title: z.strictObject({ zh: text, en: text }),
  cooldownMs: ms,
  rules,
  /** Files with phrases, relative to the pack's folder. */
  phrases: z.array(text).max(20),
});

/** A file with phrases of one language. */
export const phraseFile = z.strictObject({
  language: z.enum(['zh-CN', 'en']),
  /** Named lists of words for `needs` and `unless`, used as `@name`. */
  contexts: z.record(id, z.array(text).min(1).max(100)).exactOptional(),
  phrases: z
    .array(
      z.strictObject({
        id,
        category: z.enum(SPEECH_CATEGORIES),
        gravity: z.enum(['notice', 'alarm']).exactOptional(),
        forms: z.array(text).min(1).max(20),
        needs: z.array(text).min(1).max(100).exactOptional(),
        unless: z.array(text).min(1).max(100).exactOptional(),
        citation: text,
      }),
    )
    .max(2000),
});

const draftText = z.string().max(1000);
const draftWords = z.array(draftText).max(100);

/** A pack that somebody is writing, as JSON: only its shape. What it says is judged by problems.ts and by the files' own schema. */
export const draftShape = z.strictObject({
  name: draftText,
  version: draftText,
  title: z.strictObject({ zh: draftText, en: draftText }),
  cooldownMs: z.number(),
  /** Judged rule by rule where the files are read. */
  rules: z.record(z.string().max(64), z.record(z.string().max(64), z.unknown())),
  phrases: z
    .array(
      z.strictObject({
        phraseId: draftText,
        language: draftText,
        category: draftText,
        forms: draftWords,
        citation: draftText,
        gravity: z.enum(['notice', 'alarm']).exactOptional(),
        context: z
          .strictObject({ needs: draftWords.exactOptional(), unless: draftWords.exactOptional() })
          .exactOptional(),
      }),
    )
    .max(2000),
});
