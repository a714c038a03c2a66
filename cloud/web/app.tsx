/** The gate and the frame: who may not enter sees the door, everybody else the bar, the top and the page in the address. */
import { useEffect } from 'preact/hooks';
import { formatAddress, PAGES } from './address.ts';
import { DevicesPage } from './pages/devices.tsx';
import { DoorPage } from './pages/door.tsx';
import { LogPage } from './pages/log.tsx';
import { PeoplePage } from './pages/people.tsx';
import { QueuePage } from './pages/queue.tsx';
import { RoomPage } from './pages/room.tsx';
import { RulesPage } from './pages/rules.tsx';
import { SessionsPage } from './pages/session.tsx';
import { WallPage } from './pages/wall.tsx';
import { icons } from './parts/icons.tsx';
import { Loading, Refused } from './parts/states.tsx';
import { OfflineNote, TopBar } from './parts/top.tsx';
import { useWords } from './parts/use.ts';
import { useDesk } from './state/desk.ts';

export function App() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const gate = desk.gate.value;
  const theme = desk.theme.value;
  const open = [...desk.alerts.value.values()].filter((alert) => alert.state === 'open').length;
  const page = desk.place.value.page;

  useEffect(() => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  }, [lang]);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    const where = gate.kind === 'open' ? t(page) : t('product');
    document.title = `${open > 0 && gate.kind === 'open' ? `(${open}) ` : ''}${where} · evalroom`;
  }, [open, page, gate.kind, t]);

  if (gate.kind === 'loading') return <Loading />;
  if (gate.kind === 'failed')
    return <Refused title={t('product')} refusal={gate.refusal} onRetry={() => desk.retry()} />;
  if (gate.kind !== 'open') return <DoorPage gate={gate} />;
  return (
    <div class="frame">
      <nav class="bar" aria-label={t('product')}>
        {PAGES.map((name) => {
          const Icon = icons[name];
          const place = { page: name, ...(desk.place.value.room ? { room: desk.place.value.room } : {}) };
          return (
            <a
              key={name}
              class="bar-item"
              href={formatAddress({ page: name })}
              aria-current={page === name ? 'page' : undefined}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                desk.go(place);
              }}
            >
              <Icon />
              <span>{t(name)}</span>
              {name === 'queue' && open > 0 && (
                <span class="bar-count">
                  {open > 99 ? '99+' : open}
                  <span class="unseen"> {t('stateOpen')}</span>
                </span>
              )}
            </a>
          );
        })}
      </nav>
      <TopBar />
      <OfflineNote />
      <main class={`page page-${page}`}>
        {page === 'wall' && <WallPage />}
        {page === 'queue' && <QueuePage />}
        {page === 'sessions' && <SessionsPage />}
        {page === 'rules' && <RulesPage />}
        {page === 'devices' && <DevicesPage />}
        {page === 'people' && <PeoplePage />}
        {page === 'log' && <LogPage />}
        {page === 'setup' && <RoomPage />}
      </main>
    </div>
  );
}
