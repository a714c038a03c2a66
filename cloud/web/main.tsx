/** Where the page begins: makes the desk, hands it down, mounts. */
import { render } from 'preact';
import { App } from './app.tsx';
import { createDesk, DeskProvider } from './state/desk.ts';
import './style/base.css';
import './style/frame.css';
import './style/wall.css';
import './style/queue.css';
import './style/player.css';
import './style/event.css';
import './style/pages.css';
import './style/session.css';
import './style/line.css';
import './style/room.css';
import './style/picture.css';
import './style/rules.css';

const desk = createDesk();
const life = new AbortController();
const root = document.getElementById('page');
if (root) {
  render(
    <DeskProvider value={desk}>
      <App />
    </DeskProvider>,
    root,
  );
  desk.start(life.signal);
}
