/** The wall: every room at a glance, those that need somebody first. */
import { NoRooms } from '../parts/no-rooms.tsx';
import { Patterns } from '../parts/plan.tsx';
import { Tile } from '../parts/tile.tsx';
import { useDesk } from '../state/desk.ts';
import { wallOf } from '../state/order.ts';

export function WallPage() {
  const desk = useDesk();
  const feed = desk.feed.value;
  const { room, q } = desk.place.value;
  const alerts = [...desk.alerts.value.values()];
  const words = (q ?? '').toLowerCase();
  const rooms = wallOf(feed?.rooms.values() ?? [], alerts)
    .filter((card) => !room || card.roomId === room)
    .filter((card) => words === '' || `${card.name} ${card.centre} ${card.roomId}`.toLowerCase().includes(words));
  if (rooms.length === 0) return <NoRooms page="wall" />;
  const large = rooms.length === 1;
  const size = rooms.length === 1 ? 'one' : rooms.length <= 4 ? 'four' : 'nine';
  return (
    <>
      <Patterns />
      <div class={`wall wall-${size}`}>
        {rooms.map((card) => (
          <Tile
            key={card.roomId}
            room={card}
            large={large}
            alerts={alerts.filter((alert) => alert.roomId === card.roomId)}
          />
        ))}
      </div>
    </>
  );
}
