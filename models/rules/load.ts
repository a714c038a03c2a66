/** Reads rule packs: the folder of YAML files that says which behaviour and which words are an event, and from when on. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { InvalidInput } from '../../protocol/errors.ts';
import type { Phrase, RulePack } from '../../protocol/rules.ts';
import { HAN, packFile, phraseFile, UNKNOWN_SLOT } from './schema.ts';

const invalid = (path: string, where: string, reason: string, cause?: unknown) =>
  new InvalidInput('rule_pack_invalid', `reading the rule pack file ${path}: ${where}${reason}`, cause);

/** Text of a file of the pack by its path; throws what its source has to say. */
type Read = (path: string) => string;

const fromDisk: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(path, '', 'it cannot be read; check the path', error);
  }
};

/** Bytes of one YAML file to a checked value; every error names the file, the place in it and the reason. */
function readYaml<T>(path: string, schema: z.ZodType<T>, read: Read): T {
  const source = read(path);
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter });
  const fault = document.errors[0];
  if (fault)
    throw invalid(path, `line ${lineCounter.linePos(fault.pos[0]).line}: `, fault.message.split(' at line ')[0]!);
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    throw invalid(path, '', 'too many aliases; write the values out', error);
  }
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw invalid(path, '', issues.join('; '));
}

function readPhrases(path: string, read: Read): Phrase[] {
  const { language, contexts = {}, phrases } = readYaml(path, phraseFile, read);
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
    const slot = phrase.forms.map((form) => UNKNOWN_SLOT.exec(form)?.[0]).find(Boolean);
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
const YAML = /\.ya?ml$/i;

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
  return readPack(path, fromDisk, (file) => resolve(dirname(path), file));
}

/**
 * A pack as loadRulePack reads it, or phrases alone: a folder of phrase files without a pack.yaml, one phrase file, a
 * language that comes with the product (`zh-CN`, `en`). Phrases alone go by the thresholds of the default pack.
 */
export function loadRules(nameOrFolder: string): RulePack {
  const own = join(HERE, nameOrFolder);
  const place = /^[A-Za-z0-9-]+$/.test(nameOrFolder) && existsSync(own) ? own : resolve(nameOrFolder);
  if (basename(place) === PACK_FILE) return loadRulePack(dirname(place));
  const files = !existsSync(place)
    ? []
    : statSync(place).isFile()
      ? [place]
      : readdirSync(place)
          .sort()
          .flatMap((name) => (YAML.test(name) ? [join(place, name)] : []));
  // What is no such folder is refused there, with what there is.
  if (files.length === 0 || existsSync(join(place, PACK_FILE))) return loadRulePack(nameOrFolder);
  const phrases = files.flatMap((file) => readPhrases(file, fromDisk));
  refuseDoubles(place, phrases);
  return { ...loadRulePack('default'), name: basename(place), phrases };
}

/**
 * Reads a pack from memory: the text of each file by its name (`pack.yaml` and those that it names). The same errors as
 * from a folder.
 */
export function loadRulePackFiles(files: Readonly<Record<string, string>>): RulePack {
  const read: Read = (name) => {
    if (Object.hasOwn(files, name)) return files[name]!;
    throw invalid(name, '', `it is not among the files of the pack (${Object.keys(files).join(', ')})`);
  };
  return readPack(PACK_FILE, read, (file) => file.replace(/^\.\//, ''));
}

function readPack(path: string, read: Read, at: (file: string) => string): RulePack {
  const { phrases: files, ...pack } = readYaml(path, packFile, read);
  const phrases = files.flatMap((file) => readPhrases(at(file), read));
  refuseDoubles(path, phrases);
  return { ...pack, phrases };
}
