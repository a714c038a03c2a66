/** Reads rule packs: the folder of YAML files that says which behaviour and which words are an event, and from when on. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { InvalidInput } from '../../protocol/errors.ts';
import { SPEECH_CATEGORIES } from '../../protocol/observation.ts';
import type { Phrase, RulePack } from '../../protocol/rules.ts';

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
  at_other_seat: z.strictObject({ ...twoLevels, headsM: positive, shoulderWidths: positive }).exactOptional(),
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
      movedMs: ms,
      movedShift: share,
      frozenMs: ms,
      downMs: ms,
    })
    .exactOptional(),
  microphone_fault: z
    .strictObject({ ...base, mutedMs: ms, mutedDropDb: z.number().positive(), downMs: ms, deafMs: ms })
    .exactOptional(),
  speech_prohibited: speech.exactOptional(),
  speech_suggestive: speech.exactOptional(),
  speech_tendentious: speech.exactOptional(),
  speech_irrelevant: speech.exactOptional(),
});

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower-case letters, digits and - only');

const packFile = z.strictObject({
  name: id,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be like "1.0.0", in quotes'),
  title: z.strictObject({ zh: text, en: text }),
  cooldownMs: ms,
  rules,
  /** Files with phrases, relative to the pack's folder. */
  phrases: z.array(text).max(20),
});

const phraseFile = z.strictObject({
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

const invalid = (path: string, where: string, reason: string, cause?: unknown) =>
  new InvalidInput('rule_pack_invalid', `reading the rule pack file ${path}: ${where}${reason}`, cause);

/** Bytes of one YAML file to a checked value; every error names the file, the place in it and the reason. */
function readYaml<T>(path: string, schema: z.ZodType<T>): T {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(path, '', 'it cannot be read; check the path', error);
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter });
  const fault = document.errors[0];
  if (fault)
    throw invalid(path, `line ${lineCounter.linePos(fault.pos[0]).line}: `, fault.message.split(' at line ')[0]!);
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw invalid(path, '', issues.join('; '));
}

const HAN = /\p{Script=Han}/u;

const SLOT = /\{(?!BIDDER\}|NUMBER\})[^}]*\}?/;

function readPhrases(path: string): Phrase[] {
  const { language, contexts = {}, phrases } = readYaml(path, phraseFile);
  return phrases.map((phrase, index) => {
    const wrong = (where: string, reason: string) => invalid(path, `phrases.${index}.${where}: `, reason);
    const words = (where: 'needs' | 'unless') =>
      phrase[where]?.flatMap((word) => {
        if (!word.startsWith('@')) return [word];
        const list = contexts[word.slice(1)];
        if (!list) throw wrong(where, `"${word}" is none of the file's contexts (${Object.keys(contexts).join(', ')})`);
        return list;
      });
    const needs = words('needs');
    const unless = words('unless');
    const foreign = [...phrase.forms, ...(needs ?? []), ...(unless ?? [])].find(
      (form) => HAN.test(form) !== (language === 'zh-CN') && !/^[{}A-Z ]+$/.test(form),
    );
    if (foreign) throw wrong('forms', `"${foreign}" is not ${language}; give each language its own file`);
    const slot = phrase.forms.map((form) => SLOT.exec(form)?.[0]).find(Boolean);
    if (slot) throw wrong('forms', `the slot "${slot}" is not known; there are {BIDDER} and {NUMBER}`);
    return {
      phraseId: phrase.id,
      language,
      category: phrase.category,
      forms: phrase.forms,
      citation: phrase.citation,
      ...(phrase.gravity ? { gravity: phrase.gravity } : {}),
      ...(needs || unless ? { context: { ...(needs ? { needs } : {}), ...(unless ? { unless } : {}) } } : {}),
    };
  });
}

/** Two phrases with one id, or one form under two ids, would count one utterance twice. */
function refuseDoubles(path: string, phrases: readonly Phrase[]): void {
  const ids = new Set<string>();
  const forms = new Map<string, string>();
  for (const { phraseId, forms: list } of phrases) {
    if (ids.has(phraseId)) throw invalid(path, 'phrases: ', `the id ${phraseId} is used twice`);
    ids.add(phraseId);
    for (const form of list) {
      const key = form.toLowerCase().replace(/[\s\p{P}]/gu, '');
      const other = forms.get(key);
      if (other) throw invalid(path, 'phrases: ', `the form "${form}" stands under ${other} and under ${phraseId}`);
      forms.set(key, phraseId);
    }
  }
}

const HERE = import.meta.dirname;
const PACK_FILE = 'pack.yaml';

/** Names of the packs that come with the product. */
export function builtInRulePacks(): string[] {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(HERE, entry.name, PACK_FILE)))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Reads a pack by its name (`default`, `demo`, `eval`) or from a folder with a pack.yaml. Throws InvalidInput
 * (`rule_pack_unknown`, `rule_pack_invalid`) with file, place and reason.
 */
export function loadRulePack(nameOrFolder: string): RulePack {
  const own = /^[a-z0-9-]+$/.test(nameOrFolder) && existsSync(join(HERE, nameOrFolder, PACK_FILE));
  const folder = own ? join(HERE, nameOrFolder) : resolve(nameOrFolder);
  const path = join(folder, PACK_FILE);
  if (!existsSync(path))
    throw new InvalidInput(
      'rule_pack_unknown',
      `looking for the rule pack ${nameOrFolder}: neither a built-in one (${builtInRulePacks().join(', ')}) nor a folder with a ${PACK_FILE}`,
    );
  const { phrases: files, ...pack } = readYaml(path, packFile);
  const phrases = files.flatMap((file) => readPhrases(resolve(dirname(path), file)));
  refuseDoubles(path, phrases);
  return { ...pack, phrases };
}
