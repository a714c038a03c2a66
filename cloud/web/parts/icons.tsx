/** Icons of the frame and the player, drawn on a 20 × 20 grid with one stroke width. */
import type { ComponentChildren } from 'preact';

/** The frame of every sign; its strokes are the children. */
export function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const icons = {
  wall: () => (
    <Icon>
      <rect x="3" y="3.5" width="6" height="5.5" />
      <rect x="11" y="3.5" width="6" height="5.5" />
      <rect x="3" y="11" width="6" height="5.5" />
      <rect x="11" y="11" width="6" height="5.5" />
    </Icon>
  ),
  queue: () => (
    <Icon>
      <path d="M7.5 5h9.5M7.5 10h9.5M7.5 15h9.5" />
      <path d="M3.5 5h.5M3.5 10h.5M3.5 15h.5" stroke-width="2.4" />
    </Icon>
  ),
  sessions: () => (
    <Icon>
      <circle cx="10" cy="10.5" r="6.5" />
      <path d="M10 6.8v3.9l2.6 1.8M8 2.5h4" />
    </Icon>
  ),
  rules: () => (
    <Icon>
      <path d="M4 3.5h9.5a2 2 0 0 1 2 2V17H6a2 2 0 0 1-2-2zM4 15a2 2 0 0 1 2-2h9.5M7 7h5.5M7 10h5.5" />
    </Icon>
  ),
  people: () => (
    <Icon>
      <circle cx="7.5" cy="7" r="2.8" />
      <path d="M2.5 16.5c0-3 2-4.7 5-4.7s5 1.7 5 4.7M13 4.6a2.8 2.8 0 0 1 0 4.9M14.5 12.2c2 .6 3 2.1 3 4.3" />
    </Icon>
  ),
  devices: () => (
    <Icon>
      <path d="M3 6.5h9.5v7H3zM12.5 9l4.5-2v6l-4.5-2" />
    </Icon>
  ),
  log: () => (
    <Icon>
      <path d="M5 3h7l3.5 3.5V17H5zM12 3v3.5h3.5M7.5 10h5M7.5 13h5" />
    </Icon>
  ),
  search: () => (
    <Icon>
      <circle cx="9" cy="9" r="5" />
      <path d="M13 13l4 4" />
    </Icon>
  ),
  light: () => (
    <Icon>
      <circle cx="10" cy="10" r="3.2" />
      <path d="M10 3v1.5M10 15.5V17M3 10h1.5M15.5 10H17M5 5l1 1M14 14l1 1M5 15l1-1M14 6l1-1" />
    </Icon>
  ),
  dark: () => (
    <Icon>
      <path d="M16 11.8A6.5 6.5 0 0 1 8.2 4a6.5 6.5 0 1 0 7.8 7.8z" />
    </Icon>
  ),
  system: () => (
    <Icon>
      <circle cx="10" cy="10" r="6.5" />
      <path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" />
    </Icon>
  ),
  leave: () => (
    <Icon>
      <path d="M8 4H4v12h4M8.5 10H17M14 7l3 3-3 3" />
    </Icon>
  ),
  back: () => (
    <Icon>
      <path d="M12 4.5L6.5 10l5.5 5.5" />
    </Icon>
  ),
  play: () => (
    <Icon>
      <path d="M6 4l10 6-10 6z" fill="currentColor" />
    </Icon>
  ),
  pause: () => (
    <Icon>
      <path d="M7 4.5v11M13 4.5v11" stroke-width="3" stroke-linecap="butt" />
    </Icon>
  ),
  frameBack: () => (
    <Icon>
      <path d="M13.5 5l-6 5 6 5zM5.5 5v10" />
    </Icon>
  ),
  frameForward: () => (
    <Icon>
      <path d="M6.5 5l6 5-6 5zM14.5 5v10" />
    </Icon>
  ),
  keys: () => (
    <Icon>
      <circle cx="10" cy="10" r="7" />
      <path d="M8 8a2 2 0 1 1 2.6 2c-.5.2-.6.6-.6 1.2M10 13.8v.2" />
    </Icon>
  ),
} as const;
