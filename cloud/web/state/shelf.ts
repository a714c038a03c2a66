/** What the browser keeps for the page between visits. A storage that is full or forbidden is an answer, not an exception. */

/** Undefined where nothing is kept under the key, or nothing may be read. */
export function readShelf(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the text, or with undefined nothing any more. False where the browser would not: it then lives as long as the page. */
export function writeShelf(key: string, text: string | undefined): boolean {
  try {
    if (text === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
