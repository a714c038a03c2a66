/** A browser that keeps nothing: the page goes on, and says so. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepDraft, keptDraft } from '../../../cloud/web/state/rules-draft.ts';
import { readShelf, writeShelf } from '../../../cloud/web/state/shelf.ts';
import { loadRulePack } from '../../../models/rules/load.ts';

const pack = loadRulePack('default');
const draft = { base: { name: 'default', version: '1.0.0' }, pack };

describe('what the browser keeps', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('is read back, and taken away', () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => void kept.set(key, text),
      removeItem: (key: string) => void kept.delete(key),
    });
    expect(keepDraft(draft)).toBe(true);
    expect(keptDraft()?.base).toEqual(draft.base);
    expect(keepDraft(undefined)).toBe(true);
    expect(keptDraft()).toBeUndefined();
  });

  it('is nothing where its storage is full or forbidden, and no exception', () => {
    const forbidden = () => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    };
    vi.stubGlobal('localStorage', { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
    expect(keepDraft(draft)).toBe(false);
    expect(keptDraft()).toBeUndefined();
    expect(readShelf('a')).toBeUndefined();
    expect(writeShelf('a', 'b')).toBe(false);
  });
});
