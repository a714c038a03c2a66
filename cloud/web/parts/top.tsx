/** The top of the frame: which room, search, the room's clock, the line, language, theme, who is signed in. */
import { useRef, useState } from 'preact/hooks';
import { type Theme, useDesk } from '../state/desk.ts';
import { peopleWords } from '../words/people.ts';
import { clockTime, zoneWords } from '../words/time.ts';
import { icons } from './icons.tsx';
import { useRefusal } from './states.tsx';
import { useKeys, useWords } from './use.ts';

export function TopBar() {
  const desk = useDesk();
  const { t } = useWords();
  const place = desk.place.value;
  const rooms = [...desk.plates.value.values()];
  const input = useRef<HTMLInputElement>(null);
  useKeys((event) => {
    if (event.key !== '/') return false;
    input.current?.focus();
    input.current?.select();
    return true;
  });
  return (
    <header class="top">
      <select
        class="top-room"
        aria-label={t('roomFilter')}
        value={place.room ?? ''}
        onChange={(event) => {
          // What belongs to the room that was chosen does not belong to the next one.
          const { room: _room, seat: _seat, session: _session, camera: _camera, ...rest } = place;
          const room = event.currentTarget.value;
          desk.go({ ...rest, ...(room ? { room } : {}) });
        }}
      >
        <option value="">{t('allRooms')}</option>
        {rooms.map((room) => (
          <option key={room.roomId} value={room.roomId}>
            {room.name}
          </option>
        ))}
      </select>
      <label class="top-search">
        <icons.search />
        <span class="unseen">{t('search')}</span>
        <input
          ref={input}
          type="search"
          placeholder={t('searchHint')}
          value={place.q ?? ''}
          onInput={(event) => {
            const { q: _q, ...rest } = place;
            const q = event.currentTarget.value;
            desk.go({ ...rest, ...(q ? { q } : {}) }, true);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' && event.key !== 'Enter') return;
            if (event.key === 'Escape') {
              const { q: _q, ...rest } = place;
              desk.go(rest, true);
            }
            event.currentTarget.blur();
          }}
        />
        <kbd>/</kbd>
      </label>
      {place.page === 'wall' && rooms.length > 1 && !place.room && <WallChoice />}
      <span class="top-gap" />
      <ConnectionState />
      <ZoneClock />
      <LanguageSwitch />
      <ThemeSwitch />
      <Me />
    </header>
  );
}

function ZoneClock() {
  const desk = useDesk();
  const { lang } = useWords();
  const rooms = desk.plates.value;
  const chosen = desk.place.value.room;
  const room = (chosen ? rooms.get(chosen) : undefined) ?? rooms.values().next().value;
  const zone = room?.state?.layout.timeZone ?? 'Asia/Shanghai';
  const now = desk.now.value;
  return (
    <span class="top-clock">
      <span class="top-zone">{zoneWords(zone, lang)}</span>
      <time>{clockTime(now, zone, now, lang)}</time>
    </span>
  );
}

export function ConnectionState() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const connection = desk.connection.value;
  const zone = desk.plates.value.values().next().value?.state?.layout.timeZone ?? 'Asia/Shanghai';
  const words =
    connection.kind === 'live'
      ? t('live')
      : connection.kind === 'connecting'
        ? t('connecting')
        : connection.kind === 'catching'
          ? t('catching', { n: connection.count })
          : t('offlineSince', { time: clockTime(connection.sinceWallMs, zone, desk.nowMs(), lang) });
  return (
    <span class={`connection connection-${connection.kind}`} role="status" data-connection={connection.kind}>
      <span class="connection-sign" aria-hidden="true" />
      <span class="connection-words">{words}</span>
    </span>
  );
}

/** Said once in words while the line is down: what is known, and that nothing is lost. */
export function OfflineNote() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const connection = desk.connection.value;
  if (connection.kind !== 'offline') return null;
  const zone = desk.plates.value.values().next().value?.state?.layout.timeZone ?? 'Asia/Shanghai';
  const time = clockTime(connection.sinceWallMs, zone, desk.nowMs(), lang);
  return (
    <p class="offline-note" role="alert">
      {t('offlineNote', { time })}
    </p>
  );
}

/** Plan or picture in all tiles of the wall; real radio buttons, so that arrows and readers work. */
function WallChoice() {
  const desk = useDesk();
  const { t } = useWords();
  return (
    <fieldset class="choice">
      <legend class="unseen">{t('wall')}</legend>
      {(['plan', 'picture'] as const).map((one) => (
        <label key={one}>
          <input
            class="unseen"
            type="radio"
            name="wall-shows"
            checked={desk.shows.value === one}
            onChange={() => {
              desk.shows.value = one;
            }}
          />
          <span>{t(one === 'plan' ? 'showPlan' : 'showPicture')}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function LanguageSwitch() {
  const desk = useDesk();
  const { lang, t } = useWords();
  return (
    <button
      type="button"
      class="plain top-language"
      lang={lang === 'zh' ? 'en' : 'zh-CN'}
      title={t('language')}
      onClick={() => {
        desk.lang.value = lang === 'zh' ? 'en' : 'zh';
      }}
    >
      {t('switchLanguage')}
    </button>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

export function ThemeSwitch() {
  const desk = useDesk();
  const { t } = useWords();
  const theme = desk.theme.value;
  const words = t(theme === 'light' ? 'themeLight' : theme === 'dark' ? 'themeDark' : 'themeSystem');
  const Icon = icons[theme];
  return (
    <button
      type="button"
      class="plain icon-button"
      aria-label={`${t('theme')}: ${words}`}
      title={`${t('theme')}: ${words}`}
      onClick={() => {
        desk.theme.value = NEXT[theme];
      }}
    >
      <Icon />
    </button>
  );
}

function Me() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const refusalWords = useRefusal();
  const [failed, setFailed] = useState<string>();
  const gate = desk.gate.value;
  if (gate.kind !== 'open') return null;
  return (
    <span class="me">
      {failed && (
        <span class="me-failed" role="alert">
          {failed}
        </span>
      )}
      <span class="me-name" title={gate.user.name}>
        {gate.user.name}
      </span>
      <button
        type="button"
        class="plain icon-button"
        aria-label={t('logout')}
        title={t('logout')}
        onClick={() =>
          void desk.leave().then((refusal) => {
            setFailed(refusal && peopleWords(lang, 'leaveFailed') + refusalWords(refusal));
          })
        }
      >
        <icons.leave />
      </button>
    </span>
  );
}
