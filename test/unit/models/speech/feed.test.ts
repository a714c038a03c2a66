/** The bounded queue before an engine: what is dropped is counted, and positions stay true across holes and restarts. */
import { describe, expect, it } from 'vitest';
import { createFeed } from '../../../../models/speech/feed.ts';

const block = (samples = 8000) => new Int16Array(samples);
const hitAt = (endSample: number) => ({
  phraseId: 'p',
  text: 't',
  score: 0,
  threshold: 0,
  beginSample: endSample - 100,
  endSample,
  heard: '',
});

describe('createFeed', () => {
  it('gives an engine a second ahead and waits for its answer', () => {
    const feed = createFeed();
    let given = 0;
    feed.open((samples) => {
      given += samples.length;
    });
    for (let i = 0; i < 10; i++) feed.accept(block(), true);
    expect(given).toBe(16_000);
    feed.done(8000);
    expect(given).toBe(24_000);
    expect(feed.outstanding()).toBe(16_000);
    expect(feed.dropped()).toBe(0);
  });

  it('keeps ten seconds, drops the oldest, and maps positions over the hole', () => {
    const feed = createFeed();
    for (let i = 0; i < 30; i++) feed.accept(block(), true);
    expect(feed.dropped()).toBe(10);
    feed.open(() => undefined);
    expect(feed.place(hitAt(1000)).endSample).toBe(81_000);
    for (let i = 0; i < 20; i++) feed.done(8000);
    for (let i = 0; i < 25; i++) feed.accept(block(), true);
    for (let i = 0; i < 25; i++) feed.done(8000);
    expect(feed.place(hitAt(161_000)).endSample).toBe(241_000);
  });

  it('counts sound that nobody wanted, without calling it dropped', () => {
    const feed = createFeed();
    feed.accept(block(), false);
    feed.open(() => undefined);
    feed.accept(block(), true);
    expect(feed.place(hitAt(10)).endSample).toBe(8010);
    expect(feed.dropped()).toBe(0);
  });

  it('begins the count anew for the next engine', () => {
    const feed = createFeed();
    feed.open(() => undefined);
    feed.accept(block(), true);
    feed.shut();
    feed.accept(block(), true);
    feed.open(() => undefined);
    expect(feed.place(hitAt(10)).endSample).toBe(8010);
    expect(feed.place(hitAt(10)).beginSample).toBe(7910);
  });
});
