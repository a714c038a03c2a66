/** No room to show: none has been heard yet, or none matches what is searched for. */
import type { Page } from '../address.ts';
import { useDesk } from '../state/desk.ts';
import { Blank } from './states.tsx';
import { useWords } from './use.ts';

export function NoRooms({ page }: { page: Page }) {
  const desk = useDesk();
  const { t } = useWords();
  if ((desk.feed.value?.rooms.size ?? 0) > 0)
    return (
      <Blank title={t('roomNoMatch')}>
        <button type="button" class="button" onClick={() => desk.go({ page })}>
          {t('clearFilter')}
        </button>
      </Blank>
    );
  const dead = desk.connection.value.kind === 'offline';
  return <Blank title={t('noRooms')}>{t('noRoomsNote', { state: t(dead ? 'lineDown' : 'lineAlive') })}</Blank>;
}
