/** Devices: the health of every room's equipment in figures, camera by camera and stage by stage, with the last ten minutes of it. */
import type { ComponentChildren } from 'preact';
import type { RoomCard } from '../../http/api.ts';
import { Boxes } from '../parts/boxes.tsx';
import { Chart } from '../parts/chart.tsx';
import { CameraTable, EarTable } from '../parts/device-tables.tsx';
import { Ago } from '../parts/marks.tsx';
import { NoRooms } from '../parts/no-rooms.tsx';
import { Faults } from '../parts/tile.tsx';
import { useWords } from '../parts/use.ts';
import { useDesk } from '../state/desk.ts';
import { faultsOf } from '../state/faults.ts';
import { bytesWords, durationWords } from '../words/time.ts';

export function DevicesPage() {
  const desk = useDesk();
  const { room, q } = desk.place.value;
  const rooms = [...(desk.feed.value?.rooms.values() ?? [])]
    .filter((card) => !room || card.roomId === room)
    .filter((card) => !q || `${card.name} ${card.centre} ${card.roomId}`.toLowerCase().includes(q.toLowerCase()));
  return (
    <div class="devices">
      {rooms.length === 0 && <NoRooms page="devices" />}
      {rooms.map((card) => (
        <RoomHealthCard key={card.roomId} room={card} />
      ))}
      <Boxes />
    </div>
  );
}

function Figure({ name, children, bad = false }: { name: string; children: ComponentChildren; bad?: boolean }) {
  return (
    <div class={bad ? 'is-ours' : ''}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function RoomHealthCard({ room }: { room: RoomCard }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const { state } = room;
  const faults = faultsOf(room, desk.knownNow.value);
  const history = desk.feed.value?.histories.get(room.roomId);
  return (
    <article class="device" data-room-id={room.roomId}>
      <header>
        <h2>{room.name}</h2>
        <span class="small">{room.centre}</span>
        <span class="tile-gap" />
        <span class={faults.length > 0 ? 'tag tag-ours' : 'tag'}>
          {faults.length > 0 ? t('faultsN', { n: faults.length }) : `✓ ${t('allWell')}`}
        </span>
      </header>
      <Faults room={room} />
      {state && (
        <>
          <dl class="device-facts">
            <Figure name={t('heard')}>{room.heardWallMs !== undefined && <Ago wallMs={room.heardWallMs} />}</Figure>
            <Figure name={t('clock')} bad={state.at.clock === 'doubtful'}>
              {state.at.clock === 'doubtful'
                ? t('clockDoubtful')
                : state.at.offsetMs === undefined
                  ? t('clockSure')
                  : t('clockSureBy', { ms: Math.round(state.at.offsetMs) })}
            </Figure>
            <Figure name={t('outbox')} bad={state.health.outbox.full}>
              {state.health.outbox.events === 0
                ? t('outboxNone')
                : t('outboxSome', {
                    n: state.health.outbox.events,
                    time: durationWords(state.health.outbox.oldestMs, lang),
                  })}
            </Figure>
            <Figure name={t('clipsWaiting')}>{state.health.clipsWaiting}</Figure>
            <Figure name={t('disk')} bad={state.health.disk.low}>
              {bytesWords(state.health.disk.freeBytes)}
            </Figure>
            <Figure name={t('memory')}>{bytesWords(state.health.rssBytes)}</Figure>
            <Figure name={t('modelSet')}>{state.health.modelSet}</Figure>
            <Figure name={t('rulePack')}>
              {state.rulePack.name} {state.rulePack.version}
            </Figure>
          </dl>
          <div class="device-table">
            <CameraTable cameras={state.health.cameras} />
            <EarTable ears={state.health.ears} />
          </div>
          {history && history.samples.length > 2 && (
            <Chart samples={history.samples} title={t('chartTitle')} zone={state.layout.timeZone} />
          )}
        </>
      )}
    </article>
  );
}
