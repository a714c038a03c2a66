/** The room editor's tools: which camera, what is drawn next, undo and redo. */
import type { JSX } from 'preact';
import type { Zone } from '../../../protocol/room.ts';
import type { RoomHealth } from '../../../protocol/stream.ts';
import { type RoomKey, roomWords } from '../words/room.ts';
import { blindWords } from '../words/why.ts';
import { Icon } from './icons.tsx';
import type { Drafting } from './room-draft.ts';
import type { Tool } from './room-stage.tsx';
import { useWords } from './use.ts';

const TOOLS: readonly (readonly [Tool, string, string])[] = [
  ['select', 'V', 'M5 3l10 7-4.5 1L13 16l-2 1-2.5-5L5 15z'],
  ['seat', 'S', 'M6 3v8h8V3M4 11h12v3H4zM6 14v3M14 14v3'],
  ['desk', '', 'M2.5 7h15l-2 4h-11zM5 11v6M15 11v6'],
  ['zone', 'Z', 'M3 6l7-3 7 5-2 8-9 1z'],
  ['door', 'D', 'M5 17V3h9v14M3 17h14M11.5 10h.01'],
  ['floor', 'F', 'M10 4v12M4 10h12'],
];

export interface ToolsProps {
  readonly cameras: readonly string[];
  readonly cameraId: string;
  readonly faults: RoomHealth['cameras'];
  readonly onCamera: (cameraId: string) => void;
  readonly tool: Tool;
  readonly onTool: (tool: Tool) => void;
  readonly zoneKind: Zone['kind'];
  readonly onZoneKind: (kind: Zone['kind']) => void;
  readonly canDesk: boolean;
  readonly drafting: Drafting;
}

export function Tools(props: ToolsProps) {
  const { lang } = useWords();
  const w = (key: RoomKey) => roomWords(lang, key);
  const { tool, drafting } = props;
  return (
    <div class="editor-tools">
      <div class="cameras" role="tablist" aria-label={w('camera')}>
        {props.cameras.map((cameraId) => {
          const health = props.faults.find((one) => one.cameraId === cameraId);
          const fault = health?.fault;
          return (
            <button
              key={cameraId}
              type="button"
              role="tab"
              class={`camera-tab ${fault ? 'is-ours' : ''}`}
              aria-selected={cameraId === props.cameraId}
              title={health && fault && blindWords(health, lang)}
              onClick={() => props.onCamera(cameraId)}
            >
              {cameraId}
            </button>
          );
        })}
      </div>
      <div class="tools" role="toolbar" aria-label={w('title')}>
        {TOOLS.map(([name, key, path]) => (
          <button
            key={name}
            type="button"
            class="tool"
            data-tool={name}
            aria-pressed={tool === name}
            disabled={name === 'desk' && !props.canDesk && tool !== 'desk'}
            title={key ? `${w(name)} (${key})` : w(name)}
            onClick={() => props.onTool(name)}
          >
            <Sign path={path} />
            <span>{w(name)}</span>
          </button>
        ))}
        {tool === 'zone' && (
          <select
            class="tool-kind"
            aria-label={w('kind')}
            value={props.zoneKind}
            onChange={(event) => props.onZoneKind(event.currentTarget.value as Zone['kind'])}
          >
            <option value="door">{w('zoneDoor')}</option>
            <option value="window">{w('zoneWindow')}</option>
            <option value="other">{w('zoneOther')}</option>
          </select>
        )}
        <span class="tool-gap" />
        <button
          type="button"
          class="tool"
          data-tool="undo"
          disabled={!drafting.canUndo}
          title={`${w('undo')} (Ctrl+Z)`}
          onClick={drafting.undo}
        >
          <Sign path="M7 5L3.5 8.5 7 12M4 8.5h8a4.5 4.5 0 0 1 0 9H9" />
          <span>{w('undo')}</span>
        </button>
        <button
          type="button"
          class="tool"
          data-tool="redo"
          disabled={!drafting.canRedo}
          title={`${w('redo')} (Ctrl+Shift+Z)`}
          onClick={drafting.redo}
        >
          <Sign path="M13 5l3.5 3.5L13 12M16 8.5H8a4.5 4.5 0 0 0 0 9h3" />
          <span>{w('redo')}</span>
        </button>
      </div>
    </div>
  );
}

/** On the board itself, at the thumb: what a wheel and two fingers do. */
export function ZoomButtons({ zoom, onZoom }: { zoom: number; onZoom: (factor: number) => void }) {
  const { lang } = useWords();
  return (
    <div class="board-zoom" onPointerDown={(event) => event.stopPropagation()}>
      {(
        [
          ['zoomIn', 1.5, 'M10 4v12M4 10h12', zoom >= 8],
          ['zoomOut', 1 / 1.5, 'M4 10h12', zoom <= 1],
          ['whole', 0, 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4', zoom <= 1],
        ] as const
      ).map(([name, factor, path, off]) => (
        <button
          key={name}
          type="button"
          class="zoom"
          disabled={off}
          aria-label={roomWords(lang, name)}
          title={roomWords(lang, name)}
          onClick={() => onZoom(factor)}
        >
          <Sign path={path} />
        </button>
      ))}
    </div>
  );
}

const Sign = ({ path }: { path: string }): JSX.Element => (
  <Icon>
    <path d={path} />
  </Icon>
);
