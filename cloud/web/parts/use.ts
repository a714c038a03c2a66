/** Small hooks that several parts of the page share. */

import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useDesk } from '../state/desk.ts';
import type { Lang } from '../words/time.ts';
import { say, type Values } from '../words/words.ts';
import type { WordKey } from '../words/zh.ts';

export interface Words {
  readonly lang: Lang;
  readonly t: (key: WordKey, values?: Values) => string;
}

/** The words of the chosen language; the part is drawn anew when it changes. */
export function useWords(): Words {
  const lang = useDesk().lang.value;
  return { lang, t: (key, values) => say(lang, key, values) };
}

/** Width and height of an element in CSS px, 0 before the first measurement. */
export function useSize<T extends Element>(): [RefObject<T | null>, number, number] {
  const ref = useRef<T>(null);
  const [size, setSize] = useState<readonly [number, number]>([0, 0]);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => setSize([element.clientWidth, element.clientHeight]);
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return [ref, size[0], size[1]];
}

/** True where the media query holds, and drawn anew when that changes. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setHolds(list.matches);
    changed();
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, [query]);
  return holds;
}

export const PHONE = '(max-width: 760px)';

/**
 * Calls `handle` for keys pressed outside of text fields. `commands`: also those with Ctrl, Alt or Meta, and Ctrl+S from
 * within a field too, since whoever has just typed a name saves so.
 */
export function useKeys(handle: (event: KeyboardEvent) => boolean, commands = false): void {
  const newest = useRef(handle);
  newest.current = handle;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      if (!commands && (event.ctrlKey || event.altKey || event.metaKey)) return;
      const target = event.target instanceof Element ? event.target : undefined;
      const saves = commands && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's';
      if (target?.closest('dialog[open]')) return;
      if (!saves && target?.closest('input, textarea, select, [contenteditable]')) return;
      // Enter and space on a focused button mean that button.
      if (
        (event.key === 'Enter' || event.key === ' ') &&
        target?.closest('button, a, [role=tab], [role=button], summary')
      )
        return;
      if (newest.current(event)) event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [commands]);
}
