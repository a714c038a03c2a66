/** A sentence tried on the draft before anybody's room hears it: typed, recorded here, or from a file. */
import { useEffect, useRef, useState } from 'preact/hooks';
import {
  type Bidders,
  type ListenView,
  type RulesView,
  type SentenceHit,
  type SentenceView,
  SOUND_BYTES,
  SOUND_SECONDS,
} from '../../http/rules-api.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { createRecorder, type Recorder } from '../state/recorder.ts';
import { type DraftPack, recordingOf } from '../state/rules-draft.ts';
import { categoryWords, type RulesKey, sayRules } from '../words/rules.ts';
import { timer } from '../words/time.ts';
import { sentence } from '../words/words.ts';
import { LevelMark } from './marks.tsx';
import { biddersOf } from './session-begin.tsx';
import { RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

/** A file that is larger is not opened at all: its sound would not fit into the browser. */
const FILE_BYTES = 128 * 1024 * 1024;
const RATE = 16_000;
/** Under this there is hardly anything to hear. */
const QUIET_DB = -45;

export function RulesTry({ pack, view }: { pack: DraftPack; view: RulesView }) {
  const { lang } = useWords();
  const [names, setNames] = useState('');
  const bidders = biddersOf(names);
  return (
    <div class="rules-try">
      <label class="rules-card rules-bidders">
        <span>
          {sayRules(lang, 'bidders')} <small>{sayRules(lang, 'biddersHint')}</small>
        </span>
        <textarea
          name="bidders"
          rows={2}
          placeholder={sayRules(lang, 'biddersExample')}
          value={names}
          onInput={(event) => setNames(event.currentTarget.value)}
        />
      </label>
      <Typed pack={pack} bidders={bidders} />
      <Spoken pack={pack} bidders={bidders} view={view} />
    </div>
  );
}

function Typed({ pack, bidders }: { pack: DraftPack; bidders: Bidders }) {
  const desk = useDesk();
  const { lang } = useWords();
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<{ text: string; view: SentenceView }>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const tryIt = async () => {
    const said = text.trim();
    if (said === '' || busy) return;
    setBusy(true);
    const language = /\p{Script=Han}/u.test(said) ? 'zh-CN' : 'en';
    const found = await desk.client.rules.sentence(pack, { language, text: said, bidders });
    setBusy(false);
    setRefusal(found.ok ? undefined : found.refusal);
    setAnswer(found.ok ? { text: said, view: found.value } : undefined);
  };
  return (
    <section class="rules-card">
      <h2>{sayRules(lang, 'typed')}</h2>
      <form
        class="rules-ask"
        onSubmit={(event) => {
          event.preventDefault();
          void tryIt();
        }}
      >
        <input
          name="sentence"
          maxLength={500}
          placeholder={sayRules(lang, 'typedHint')}
          aria-label={sayRules(lang, 'typed')}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button primary" disabled={busy || text.trim() === ''}>
          {sayRules(lang, 'test')}
        </button>
      </form>
      {refusal && <RefusedLine refusal={refusal} />}
      {answer && (
        <div class="rules-answer" role="status" data-hits={answer.view.hits.length}>
          {answer.view.hits.length === 0 && <p class="rules-nothing">{sayRules(lang, 'raisesNot')}</p>}
          {answer.view.hits.map((hit) => (
            <Heard key={`${hit.phraseId} ${hit.from}`} hit={hit} text={answer.text} />
          ))}
          {answer.view.stopped.map((hit) => (
            <Heard
              key={`${hit.phraseId} ${hit.from} stopped`}
              hit={hit}
              text={answer.text}
              stopped={sayRules(lang, WHY[hit.why === 'unless' && hit.word === undefined ? 'before' : hit.why], {
                word: hit.word ?? '',
              })}
            />
          ))}
        </div>
      )}
    </section>
  );
}

/** Only what the cloud knows: which word it was is said where one alone forbids it. */
const WHY = {
  unless: 'stoppedUnless',
  before: 'stoppedBefore',
  needs: 'stoppedNeeds',
  both: 'stoppedBoth',
} as const satisfies Record<string, RulesKey>;

function Heard({ hit, text, stopped }: { hit: SentenceHit; text: string; stopped?: string }) {
  const { lang } = useWords();
  return (
    <div class={stopped ? 'rules-heard is-stopped' : 'rules-heard'} data-hit={hit.phraseId}>
      <p class="rules-said">
        {text.slice(0, hit.from)}
        <mark>{text.slice(hit.from, hit.to)}</mark>
        {text.slice(hit.to)}
      </p>
      <p class="small">
        {!stopped && hit.level && <LevelMark level={hit.level} fault={false} quiet={false} size={14} />}{' '}
        {stopped ??
          (hit.level ? `${sayRules(lang, 'raises')} · ${sayRules(lang, hit.level)}` : sayRules(lang, 'noLevel'))}
        {` · ${categoryWords(hit.category, lang)} · “${hit.form}” `}
        <code>{hit.phraseId}</code>
      </p>
    </div>
  );
}

interface Kept {
  readonly soundId: string;
  readonly name: string;
  readonly seconds: number;
}

function Spoken({ pack, bidders, view }: { pack: DraftPack; bidders: Bidders; view: RulesView }) {
  const desk = useDesk();
  const { lang } = useWords();
  const [language, setLanguage] = useState<'zh' | 'en'>('zh');
  const spoken = language === 'en' ? view.spokenEnglish : view.spoken;
  const [sound, setSound] = useState<Kept>();
  const [heard, setHeard] = useState<ListenView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [note, setNote] = useState<RulesKey>();
  const [busy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);

  const listen = async (kept: Kept) => {
    setBusy(true);
    const answer = await desk.client.rules.listen(pack, { soundId: kept.soundId, language, bidders });
    setBusy(false);
    setRefusal(answer.ok ? undefined : answer.refusal);
    setHeard(answer.ok ? answer.value : undefined);
  };
  const take = async (wav: Blob, name: string) => {
    setBusy(true);
    setNote(undefined);
    setHeard(undefined);
    const answer = await desk.client.rules.sound(wav);
    setBusy(false);
    setRefusal(answer.ok ? undefined : answer.refusal);
    if (!answer.ok) return;
    const kept = { ...answer.value, name };
    setSound(kept);
    await listen(kept);
  };
  const here = useRef(true);
  useEffect(
    () => () => {
      here.current = false;
    },
    [],
  );
  const open = async (sound: Blob, name: string) => {
    setNote(undefined);
    setRefusal(undefined);
    try {
      if (sound.size > FILE_BYTES) return setNote('fileLong');
      const wav = await decoded(await sound.arrayBuffer());
      // Left while it was read: then nobody wants to know.
      if (!here.current) return;
      if (wav) await take(wav, name);
      else setNote('fileLong');
    } catch {
      setNote('badFile');
    }
  };
  const recorder = useRecorder((sound) => void open(sound, sayRules(lang, 'record')), setNote);
  const choose = (chosen: File) => {
    const isWav = /\.wave?$/i.test(chosen.name) || /wav/.test(chosen.type);
    // The cloud reads these itself, and says how long they are.
    if (isWav && chosen.size <= SOUND_BYTES) return take(new Blob([chosen], { type: 'audio/wav' }), chosen.name);
    return open(chosen, chosen.name);
  };
  const choice = (
    <label class="rules-inline">
      {sayRules(lang, 'language')}
      <select
        name="language"
        value={language}
        disabled={busy || recorder.sinceMs !== undefined}
        onChange={(event) => {
          setLanguage(event.currentTarget.value === 'en' ? 'en' : 'zh');
          setHeard(undefined);
          setRefusal(undefined);
        }}
      >
        <option value="zh">{sayRules(lang, 'mandarin')}</option>
        <option value="en">{sayRules(lang, 'english')}</option>
      </select>
    </label>
  );
  if (!spoken.ok)
    return (
      <section class="rules-card">
        <h2>{sayRules(lang, 'spoken')}</h2>
        {choice}
        <p class="rules-missing" role="status">
          {sentence(spoken.words, lang)}
        </p>
      </section>
    );
  return (
    <section class="rules-card">
      <h2>{sayRules(lang, 'spoken')}</h2>
      {choice}
      <p class="small">{sayRules(lang, 'spokenHint', { minutes: SOUND_SECONDS / 60 })}</p>
      <div class="rules-ask">
        <button type="button" class="button" disabled={busy} onClick={() => void recorder.toggle()}>
          {recorder.sinceMs === undefined ? sayRules(lang, 'record') : sayRules(lang, 'stop')}
        </button>
        {recorder.sinceMs !== undefined && (
          <span class="small" role="status">
            {sayRules(lang, 'recording', {
              time: timer(Math.max(0, desk.now.value - recorder.sinceMs)),
              most: timer(SOUND_SECONDS * 1000),
            })}
          </span>
        )}
        <button type="button" class="button" disabled={busy} onClick={() => file.current?.click()}>
          {sayRules(lang, 'chooseFile')}
        </button>
        <input
          ref={file}
          class="unseen"
          type="file"
          name="sound"
          accept="audio/*"
          aria-label={sayRules(lang, 'chooseFile')}
          tabIndex={-1}
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            event.currentTarget.value = '';
            if (chosen) void choose(chosen);
          }}
        />
        {sound && (
          <button type="button" class="button" disabled={busy} onClick={() => void listen(sound)}>
            {sayRules(lang, 'listenAgain')}
          </button>
        )}
      </div>
      {sound && (
        <p class="small">
          {sayRules(lang, 'soundKept', { name: sound.name, seconds: sound.seconds.toFixed(1) })}
          {busy ? ` · ${sayRules(lang, 'listening')}` : ''}
        </p>
      )}
      {note && (
        <p class="rules-problem" role="alert">
          {sayRules(lang, note, { minutes: SOUND_SECONDS / 60 })}
        </p>
      )}
      {refusal && <RefusedLine refusal={refusal} />}
      {heard && (
        <div class="rules-answer" role="status" data-hits={heard.hits.length}>
          {heard.peakDb < QUIET_DB && (
            <p class="rules-finding">! {sayRules(lang, 'tooQuiet', { db: Math.round(heard.peakDb) })}</p>
          )}
          {heard.unheard.length > 0 && (
            <p class="rules-finding">! {sayRules(lang, 'unheardHere', { ids: heard.unheard.join(', ') })}</p>
          )}
          {heard.hits.length === 0 && <p class="rules-nothing">{sayRules(lang, 'heardNothing')}</p>}
          {heard.hits.map((hit) => (
            <div class="rules-heard" key={`${hit.phraseId} ${hit.beginS}`} data-hit={hit.phraseId}>
              <p class="rules-said">
                <mark>{hit.text}</mark>{' '}
                <span class="small">
                  {sayRules(lang, 'heardAt', { begin: hit.beginS.toFixed(1), end: hit.endS.toFixed(1) })}
                </span>
              </p>
              <p class="small">
                {hit.level && <LevelMark level={hit.level} fault={false} quiet={false} size={14} />}{' '}
                {hit.level ? `${sayRules(lang, 'raises')} · ${sayRules(lang, hit.level)}` : sayRules(lang, 'noLevel')}
                {` · ${categoryWords(hit.category, lang)} · `}
                {sayRules(lang, 'score', { score: hit.score.toFixed(2), threshold: hit.threshold.toFixed(2) })}{' '}
                <code>{hit.phraseId}</code>
              </p>
              <p class="small rules-pinyin">{hit.heard}</p>
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

/** Any sound that the browser can read, as the cloud's WAV; undefined where it is longer than what is tried. */
async function decoded(bytes: ArrayBuffer): Promise<Blob | undefined> {
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(bytes);
  if (sound.duration > SOUND_SECONDS + 1) return undefined;
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++)
    for (const [i, value] of sound.getChannelData(channel).entries()) mono[i]! += value / sound.numberOfChannels;
  return recordingOf(mono, RATE);
}

/** The browser's microphone; asked for when somebody wants to speak, and let go at once afterwards, or when the page is left. */
function useRecorder(onSound: (sound: Blob) => void, onNote: (note: RulesKey) => void) {
  const desk = useDesk();
  const [sinceMs, setSince] = useState<number>();
  const newest = useRef({ onSound, onNote });
  newest.current = { onSound, onNote };
  const recorder = useRef<Recorder>(undefined);
  recorder.current ??= createRecorder({
    open: () => navigator.mediaDevices.getUserMedia({ audio: true }),
    machineOf(stream, on) {
      const machine = new MediaRecorder(stream);
      machine.ondataavailable = ({ data }) => on.part(data);
      machine.onstop = () => on.stopped();
      return machine;
    },
    later: (run, ms) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    longestMs: SOUND_SECONDS * 1000,
    onRecording: (recording) => setSince(recording ? desk.nowMs() : undefined),
    onSound: (sound) => newest.current.onSound(sound),
    onRefused: () => newest.current.onNote('noMicrophone'),
  });
  useEffect(() => () => recorder.current?.drop(), []);
  return { sinceMs, toggle: () => recorder.current?.toggle() };
}
