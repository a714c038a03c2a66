/** Rule packs as supervisors handle them: stored versions, drafts tried before they count, and publication into rooms. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { builtInRulePacks, loadRulePack, loadRulePackFiles } from '../../models/rules/load.ts';
import { readDraft } from '../../models/rules/problems.ts';
import { signRulePack } from '../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../models/rules/write.ts';
import { FSMN_FILES, FSMN_FOLDER } from '../../models/speech/fsmn-files.ts';
import { InvalidInput } from '../../protocol/errors.ts';
import type { RulePackOrder } from '../../protocol/orders.ts';
import type { RulePack } from '../../protocol/rules.ts';
import type { Clock } from '../../protocol/time.ts';
import {
  byVersion,
  type CheckRequest,
  type CheckView,
  type ListenRequest,
  type ListenView,
  type PackName,
  type PackVersionView,
  type PackView,
  PLACES_MAX,
  type PublishRequest,
  type RerunRequest,
  type RerunView,
  RULE_NOTE_MAX,
  type RulesView,
  type SaveRequest,
  type SentenceRequest,
  type SentenceView,
  type SoundView,
} from '../http/rules-api.ts';
import type { Rooms } from '../ingest/rooms.ts';
import type { RuleVersion } from '../store/rules.ts';
import type { Store } from '../store/store.ts';
import { requireSupervisor, type Viewer } from './access.ts';
import type { Orders } from './orders.ts';
import type { RulesBench } from './rules-bench.ts';
import { createEnglishTry, spokenEnglish } from './rules-english.ts';
import type { RulesKey } from './rules-key.ts';
import { createPlacing, type ProvinceOf } from './rules-place.ts';

type Who = Viewer | undefined;

export interface Rules {
  list(who: Who): Promise<RulesView>;
  pack(who: Who, name: PackName): Promise<PackView>;
  /** As it travels, for a USB stick or `evalroom agent replay`. */
  file(who: Who, name: PackName): Promise<RulePackOrder>;
  check(who: Who, request: CheckRequest): Promise<CheckView>;
  sentence(who: Who, request: SentenceRequest): Promise<SentenceView>;
  /** Keeps a recording in memory for this session. Throws InvalidInput `sound_bad`, `sound_long`. */
  keepSound(who: Who, wav: Uint8Array): Promise<SoundView>;
  listen(who: Who, request: ListenRequest): Promise<ListenView>;
  rerun(who: Who, request: RerunRequest): Promise<RerunView>;
  /** Throws InvalidInput `rules_draft_faults`, `rule_name_taken`, `rule_version_low`, `rule_version_exists`. */
  save(who: Who, request: SaveRequest): Promise<PackVersionView>;
  publish(who: Who, request: PublishRequest): Promise<RulesView>;
  /** Stores the packs of the product, and orders for rooms as soon as their boxes are heard. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Versions that are tried on nothing in service. */
const NOT_FOR_ROOMS = 'eval';
/** Newest episodes that a draft is tried on. */
const EPISODES = 2000;
const FINDINGS_MAX = 300;
/** Recordings in memory, of all sessions; the oldest goes. */
const SOUNDS_MAX = 6;
const TEXT_MAX = 500;
/** Places that the log names; the rest is counted. */
const PLACES_NAMED = 20;

export function createRules(parts: {
  readonly store: Store;
  readonly rooms: Rooms;
  readonly orders: Pick<Orders, 'order' | 'current'>;
  readonly bench: RulesBench;
  readonly key: RulesKey;
  readonly machine: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly modelsFolder: string;
    /** Absent: no centre has one. */
    readonly provinceOf?: ProvinceOf;
  };
}): Rules {
  const { store, rooms, orders, bench, key, machine } = parts;
  const { clock, log, modelsFolder } = machine;
  const placing = createPlacing({ store, rooms, orders, provinceOf: machine.provinceOf ?? (() => undefined), log });
  const english = createEnglishTry({ clock });
  const sounds = new Map<string, { readonly sessionId: string; readonly samples: Int16Array }>();
  const own = new Set(builtInRulePacks().filter((name) => name !== NOT_FOR_ROOMS));

  const found = async ({ name, version }: PackName) => {
    const stored = await store.rules.version(name, version);
    if (!stored)
      throw new InvalidInput(
        'not_found',
        `looking for the rule pack ${name.slice(0, 64)} ${version.slice(0, 32)}: there is none`,
      );
    return stored;
  };
  const packNamed = async (name: PackName): Promise<RulePack> => loadRulePackFiles((await found(name)).order.files);
  const versionView = ({ keyId: _key, ...version }: RuleVersion): PackVersionView => ({
    ...version,
    builtIn: own.has(version.name),
  });
  const view = async (): Promise<RulesView> => ({
    versions: (await store.rules.versions()).map(versionView).reverse(),
    rooms: await placing.view(),
    keyId: key.keyId,
    spoken: spokenIn(modelsFolder),
    spokenEnglish: spokenEnglish(),
  });
  const addVersion = async (
    files: Readonly<Record<string, string>>,
    made: Pick<RuleVersion, 'madeBy' | 'note' | 'basedOn'>,
    action: string,
  ): Promise<RuleVersion | undefined> => {
    const pack = loadRulePackFiles(files);
    const order = signRulePack(files, key.privateKey);
    const wallMs = clock.wallMs();
    const version: RuleVersion = {
      name: pack.name,
      version: pack.version,
      title: pack.title,
      phrases: pack.phrases.length,
      rules: Object.keys(pack.rules).length,
      sha256: order.sha256,
      keyId: order.keyId,
      madeWallMs: wallMs,
      ...made,
    };
    const object = `${pack.name} ${pack.version} ${order.sha256.slice(0, 16)}`;
    const added = await store.rules.addVersion(version, order, { wallMs, actor: made.madeBy, action, object });
    return added ? version : undefined;
  };

  return {
    async list(who) {
      requireSupervisor(who);
      return view();
    },
    async pack(who, name) {
      requireSupervisor(who);
      const { version, order } = await found(name);
      return { version: versionView(version), pack: loadRulePackFiles(order.files) };
    },
    async file(who, name) {
      requireSupervisor(who);
      return (await found(name)).order;
    },
    async check(who, { pack, phraseId }) {
      requireSupervisor(who);
      return bench.run({ kind: 'check', draft: pack, ...(phraseId === undefined ? {} : { phraseId }) });
    },
    async sentence(who, { pack, language, text, bidders }) {
      requireSupervisor(who);
      if (text.length > TEXT_MAX)
        throw new InvalidInput('bad_request', `trying a sentence: it has more than ${TEXT_MAX} characters`);
      return bench.run({
        kind: 'sentence',
        draft: pack,
        language,
        text,
        ...(bidders ? { project: { bidders } } : {}),
      });
    },
    async keepSound(who, wav) {
      const { sessionId } = requireSupervisor(who);
      const samples = await bench.run({ kind: 'sound', wav });
      const soundId = randomUUID();
      sounds.set(soundId, { sessionId, samples });
      for (const [oldest] of sounds) if (sounds.size > SOUNDS_MAX) sounds.delete(oldest);
      return { soundId, seconds: samples.length / 16_000 };
    },
    async listen(who, { pack, soundId, language, bidders }) {
      const { sessionId } = requireSupervisor(who);
      const sound = sounds.get(soundId);
      if (sound?.sessionId !== sessionId)
        throw new InvalidInput('sound_gone', 'trying a recording: it is not in memory any more; upload it again');
      const asked = { draft: pack, samples: sound.samples, ...(bidders ? { project: { bidders } } : {}) };
      return language?.startsWith('en') ? english.listen(asked) : bench.run({ kind: 'listen', ...asked, modelsFolder });
    },
    async rerun(who, { pack, base, room }) {
      requireSupervisor(who);
      const { episodes, leftOut } = await store.rules.episodes({
        limit: EPISODES,
        ...(room === undefined || room === '' ? {} : { roomId: room }),
      });
      const { findings, ...counts } = await bench.run({
        kind: 'rerun',
        draft: pack,
        base: await packNamed(base),
        episodes,
      });
      return {
        ...counts,
        findings: findings.slice(0, FINDINGS_MAX),
        more: Math.max(0, findings.length - FINDINGS_MAX),
        leftOut,
      };
    },
    async save(who, { pack: draft, note, base }) {
      const { user } = requireSupervisor(who);
      if (note.length > RULE_NOTE_MAX)
        throw new InvalidInput(
          'rule_note_long',
          `saving a rule pack: the note has more than ${RULE_NOTE_MAX} characters`,
        );
      const read = readDraft(draft);
      const problem = 'problem' in read ? read.problem : read.problems[0];
      if (problem || 'problem' in read)
        throw new InvalidInput('rules_draft_faults', `saving a rule pack: ${problem?.words.en ?? 'it has faults'}`);
      const { pack } = read;
      if (own.has(pack.name) || pack.name === NOT_FOR_ROOMS)
        throw new InvalidInput('rule_name_taken', `saving the rule pack ${pack.name}: this name is the product's own`);
      const newest = (await store.rules.versions()).filter(({ name }) => name === pack.name).map((one) => one.version);
      if (newest.some((version) => byVersion(pack.version, version) <= 0))
        throw new InvalidInput(
          'rule_version_low',
          `saving the rule pack ${pack.name} ${pack.version}: there is ${newest.sort(byVersion).at(-1)} already; take a higher one`,
        );
      const version = await addVersion(
        writeRulePackFiles(pack),
        {
          madeBy: user.name,
          ...(note.trim() === '' ? {} : { note: note.trim() }),
          ...(base ? { basedOn: `${base.name} ${base.version}` } : {}),
        },
        'save_rules',
      );
      if (!version)
        throw new InvalidInput(
          'rule_version_exists',
          `saving the rule pack ${pack.name} ${pack.version}: somebody has just saved this version; take a higher one`,
        );
      return versionView(version);
    },
    async publish(who, { pack, follow, to }) {
      const { user } = requireSupervisor(who);
      if (to.length === 0 || to.length > PLACES_MAX)
        throw new InvalidInput('places_many', `publishing a rule pack: choose 1 to ${PLACES_MAX} places`);
      if (pack) await found(pack);
      const wallMs = clock.wallMs();
      const what = pack ? `${pack.name} ${pack.version}` : follow ? 'as the next wider place' : '–';
      const places = to.map((place) => (place.kind === 'all' ? 'all' : `${place.kind}:${place.of}`));
      const rest = places.length - PLACES_NAMED;
      const where = `${places.slice(0, PLACES_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
      await store.rules.place(
        to.map((place) => ({
          kind: place.kind,
          of: place.kind === 'all' ? '' : place.of,
          ...(pack ? { pack: { name: pack.name, version: pack.version } } : follow ? { follows: true as const } : {}),
          placedWallMs: wallMs,
          placedBy: user.name,
        })),
        {
          wallMs,
          actor: user.name,
          action: pack ? 'publish_rules' : 'withdraw_rules',
          object: `${what} → ${where}`,
        },
      );
      await placing.apply();
      return view();
    },
    async start() {
      const known = new Map((await store.rules.versions()).map((one) => [`${one.name} ${one.version}`, one.sha256]));
      for (const name of own) {
        const files = writeRulePackFiles(loadRulePack(name));
        const { version, sha256 } = signRulePack(files, key.privateKey);
        const before = known.get(`${name} ${version}`);
        if (before === undefined) await addVersion(files, { madeBy: 'cloud' }, 'add_rules');
        else if (before !== sha256)
          log.warn({ pack: name, version }, 'the stored rule pack of this version differs from the one of the product');
      }
      await placing.start();
    },
    async close() {
      await Promise.all([placing.close(), english.close()]);
    },
  };
}

function spokenIn(modelsFolder: string): RulesView['spoken'] {
  const absent = FSMN_FILES.filter((name) => !existsSync(join(modelsFolder, FSMN_FOLDER, name)));
  if (absent.length === 0) return { ok: true };
  const folder = join(modelsFolder, FSMN_FOLDER);
  return {
    ok: false,
    words: {
      zh: `云端没有普通话识别模型（${folder} 中缺少 ${absent.join('、')}），不能用录音测试。请在云端机器上运行 evalroom models fetch zh，或用打字测试。`,
      en: `The cloud has no Mandarin model (${absent.join(', ')} missing in ${folder}), so a recording cannot be tried. Run evalroom models fetch zh on the cloud's machine, or type the sentence.`,
    },
  };
}
