/** Why an ear or an eye does not work, or not wholly: a code with what it names, so that every page says it in its reader's language. */

/** By code: the English of logs and of whoever does not know the code. `{name}` is one of the parameters. */
const ENGLISH = {
  not_started: 'not started',
  starting: 'starting',
  closed: 'closed',
  engine_restarting: 'the engine stopped and is being restarted ({error})',
  engine_refused: '{error}',
  too_slow:
    'this machine is too slow for it: more than {percent} % of the sound of a minute was left unheard; use fewer cameras, microphones or engines here, or a faster machine',
  no_model_zh: 'no Mandarin model ({files} not in {folder}); run: evalroom models fetch zh',
  no_model_en: 'no English model in {folder}; run: apt-get install libpocketsphinx3 pocketsphinx-en-us',
  no_library: 'no library of {library} in {folder}; run: evalroom models fetch {library}',
  no_model: 'no {engine} model for {language} in {folder}; unpack one there, in a folder with {named} in its name',
  no_engine:
    'no engine for {language} of itself (there are some for zh-CN and en); name vosk or sherpa for it in room.yaml',
  no_phrases: 'the rule pack has no phrases in {language}',
  wrong_language: '{engine} does not hear {language}; see engines in room.yaml',
  none_spotted: 'none of {count} phrases can be spotted: {error}',
  none_spotted_in: 'none of {count} phrases can be spotted in {language}',
  phrases_refused: 'the library refuses the list of phrases',
  deaf_to: 'deaf to {phrases}',
  deaf_to_near: 'deaf to {phrases}, which count near certain words only ({error})',
  context_unread: 'tells these also where they are negated or quoted: {phrases}',
  context_lost: 'tells these also where they are negated or quoted: {phrases} ({error})',
  left_out: 'not listened for: {names}',
  unconfirmed: 'unconfirmed: {engine} is deaf ({error})',
  no_talk:
    'talk off the subject is not judged: no ear of this room understands all that is said ({engines}); name vosk or sherpa in engines of room.yaml',
  no_sound_zeros: 'no sound: the source sends digital silence',
  no_sound_yet: 'no sound: the source has sent nothing yet',
  no_sound_more: 'no sound: the source has stopped sending',
  detector_down: 'detector: {error}',
  pose_down: 'pose: {error}',
  eyes_failed: '{error}',
  stream_down: '{error}',
} as const;

export type WhyCode = keyof typeof ENGLISH;

/** All codes of this version; one from another version may be none of these. */
export const WHY_CODES = Object.keys(ENGLISH) as WhyCode[];

/** `named`: what stands in the sentence, none of it spoken words. */
export interface Why {
  readonly code: string;
  readonly named?: Readonly<Record<string, string>>;
  /** The engine that it is said of, where a microphone has two. */
  readonly of?: string;
}

/** Several at a time, at most. */
export const WHYS_MAX = 8;
/** Characters of one parameter, at most: it may name every phrase of a pack. */
export const NAMED_MAX = 200;

/** The parameters must be those of the sentence. */
export function because(code: WhyCode, named?: Readonly<Record<string, string | number>>): Why {
  return {
    code,
    ...(named
      ? { named: Object.fromEntries(Object.entries(named).map(([name, value]) => [name, String(value)])) }
      : {}),
  };
}

/** A sentence with its parameters put in; one that is missing stays as it is. */
export function fillWhy(sentence: string, named: Why['named'] = {}): string {
  return sentence.replace(/\{(\w+)\}/g, (slot, name: string) => named[name] ?? slot);
}

/** In English, one after the other; undefined where there is none. */
export function reasonOf(whys: readonly Why[]): string | undefined {
  const known: Readonly<Record<string, string>> = ENGLISH;
  const say = ({ code, named, of }: Why) => `${of === undefined ? '' : `${of} `}${fillWhy(known[code] ?? code, named)}`;
  return whys.length === 0 ? undefined : whys.map(say).join('; ');
}

/** Short enough to be sent. */
export function shortWhys(whys: readonly Why[]): readonly Why[] {
  const cut = (text: string) => (text.length > NAMED_MAX ? `${text.slice(0, NAMED_MAX - 1)}…` : text);
  return whys.slice(0, WHYS_MAX).map(({ named, ...why }) => ({
    ...why,
    ...(named ? { named: Object.fromEntries(Object.entries(named).map(([name, text]) => [name, cut(text)])) } : {}),
  }));
}
