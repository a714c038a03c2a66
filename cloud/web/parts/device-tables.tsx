/** A room's cameras and ears in figures: what comes, what is done with it, what is lost, and what each stage takes. */
import type { ComponentChildren } from 'preact';
import type { RoomState } from '../../../protocol/stream.ts';
import { blindWords, whyWords } from '../words/why.ts';
import { faultWords, languageWords } from '../words/words.ts';
import { useWords } from './use.ts';

type Camera = RoomState['health']['cameras'][number];
type Ear = RoomState['health']['ears'][number];

/** Cells carry the name of their column: on a telephone a row is a card, and has no head above it. */
function Cell(props: { name: string; num?: boolean; long?: boolean; children: ComponentChildren }) {
  const { name, num = false, long = false, children } = props;
  return (
    <td data-name={name} class={num ? 'num' : long ? 'device-long' : undefined}>
      <div>{children}</div>
    </td>
  );
}

function Working({ state }: { state: 'starting' | 'running' | 'down' | 'none' }) {
  const { t } = useWords();
  const words = t(
    state === 'running' ? 'running' : state === 'starting' ? 'starting' : state === 'down' ? 'down' : 'absentNone',
  );
  return <span class={`working working-${state}`}>{words}</span>;
}

/** Small figures under a large one; those that are not known are left out. */
function Parts({ of }: { of: readonly (readonly [name: string, value: number | undefined])[] }) {
  const known = of.filter(([, value]) => value !== undefined);
  if (known.length === 0) return null;
  return (
    <div class="device-parts">
      {known.map(([name, value]) => (
        <span key={name}>
          {name} {shortly(value!)}
        </span>
      ))}
    </div>
  );
}

/** Two digits that matter, no more. */
const shortly = (value: number): string => (value >= 10 || value === 0 ? String(Math.round(value)) : value.toFixed(1));

export function CameraTable({ cameras }: { cameras: readonly Camera[] }) {
  const { t } = useWords();
  return (
    <table class="device-rows">
      <thead>
        <tr>
          <th scope="col">{t('camera')}</th>
          <th scope="col">{t('decode')}</th>
          <th scope="col">{t('record')}</th>
          <th scope="col">{t('audio')}</th>
          <th scope="col" class="num">
            {t('perSecond')}
          </th>
          <th scope="col" class="num">
            {t('inference')}
          </th>
          <th scope="col" class="num" title={t('dropsWhat')}>
            {t('drops')}
          </th>
          <th scope="col">{t('fault')}</th>
        </tr>
      </thead>
      <tbody>
        {cameras.map((camera) => (
          <CameraRow key={camera.cameraId} camera={camera} />
        ))}
      </tbody>
    </table>
  );
}

function CameraRow({ camera }: { camera: Camera }) {
  const { lang, t } = useWords();
  const { rates, stages, fault } = camera;
  return (
    <tr data-camera-id={camera.cameraId}>
      <th scope="row">{camera.cameraId}</th>
      <Cell name={t('decode')}>
        <Working state={camera.decode} />
      </Cell>
      <Cell name={t('record')}>
        <Working state={camera.record} />
      </Cell>
      <Cell name={t('audio')}>
        <Working state={camera.audio} />
      </Cell>
      <Cell name={t('perSecond')} num>
        {camera.analysedFps.toFixed(1)}
        {stages && <span class="small"> {t('ofDecoded', { n: shortly(stages.decodedFps) })}</span>}
        <Parts
          of={[
            [t('stageDetector'), rates && rates.detections + rates.regions],
            [t('stagePose'), rates?.poses],
          ]}
        />
      </Cell>
      <Cell name={t('inference')} num>
        {Math.round(camera.inferenceMs)} ms
        <Parts
          of={[
            [t('stageDetector'), stages?.detectorMs],
            [t('stagePose'), stages?.poseMs],
            [t('stageDecide'), stages?.decideMs],
            [t('stageLag'), stages?.lagMs],
          ]}
        />
      </Cell>
      <Cell name={t('drops')} num>
        {camera.drops}
        {rates?.strained && (
          <div>
            <span class="fault">{t('strained')}</span>
          </div>
        )}
        {stages && stages.blind > 0 && <div class="small">{t('blindFrames', { n: stages.blind })}</div>}
      </Cell>
      <Cell name={t('fault')}>{fault ? <span class="fault">{blindWords(camera, lang)}</span> : '–'}</Cell>
    </tr>
  );
}

export function EarTable({ ears }: { ears: readonly Ear[] }) {
  const { t } = useWords();
  return (
    <table class="device-rows">
      <thead>
        <tr>
          <th scope="col">{t('ears')}</th>
          <th scope="col">{t('language')}</th>
          <th scope="col">{t('hears')}</th>
          <th scope="col" class="num">
            {t('level')}
          </th>
          <th scope="col" class="num" title={t('loadWhat')}>
            {t('load')}
          </th>
          <th scope="col" class="num">
            {t('earDrops')}
          </th>
          <th scope="col" class="num">
            {t('restarts')}
          </th>
        </tr>
      </thead>
      <tbody>
        {ears.map((ear) => (
          <EarRow key={`${ear.microphoneId} ${ear.language}`} ear={ear} />
        ))}
      </tbody>
    </table>
  );
}

function EarRow({ ear }: { ear: Ear }) {
  const { lang, t } = useWords();
  const { rtf, dropped, restarts } = ear;
  const well = ear.state === 'hearing' && !ear.unconfirmed && !ear.fault;
  // What is known by its kind is said in the reader's language; anything else as the box says it.
  const reason = whyWords(ear.why, ear.reason, lang);
  const why = ear.slow ? t('earSlow') : ear.unconfirmed ? faultWords('unconfirmed', lang) : reason;
  return (
    <tr data-microphone-id={ear.microphoneId}>
      <th scope="row">{ear.microphoneId}</th>
      <Cell name={t('language')}>{languageWords(ear.language, lang)}</Cell>
      <Cell name={t('hears')} long={!well}>
        <span
          class={well ? 'working working-running' : 'fault'}
          title={ear.slow || ear.unconfirmed ? reason : undefined}
        >
          {t(ear.state)}
          {why ? `: ${why}` : ''}
          {ear.fault ? `; ${faultWords(ear.fault, lang)}` : ''}
        </span>
      </Cell>
      <Cell name={t('level')} num>
        {Math.round(ear.rmsDb)} dBFS
      </Cell>
      <Cell name={t('load')} num>
        {rtf === undefined ? '–' : <span class={rtf >= 1 ? 'fault' : ''}>{shortly(rtf * 100)} %</span>}
      </Cell>
      <Cell name={t('earDrops')} num>
        {dropped ?? '–'}
      </Cell>
      <Cell name={t('restarts')} num>
        {restarts ?? '–'}
      </Cell>
    </tr>
  );
}
