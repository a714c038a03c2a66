/** Times, figures and names as people say them; the address as it is written and read back. */
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress, setupToken } from '../../../cloud/web/address.ts';
import { en } from '../../../cloud/web/words/en.ts';
import { agoWords, bytesWords, clockTime, durationWords, timer, zoneWords } from '../../../cloud/web/words/time.ts';
import {
  actorWords,
  behaviourWords,
  figureWords,
  logWords,
  say,
  seatWords,
  valueWords,
} from '../../../cloud/web/words/words.ts';
import { zh } from '../../../cloud/web/words/zh.ts';
import { BEHAVIOURS } from '../../../protocol/event.ts';
import { layoutOf, plainZone } from '../../e2e/web-world.ts';

describe('times in words', () => {
  it.each([
    [0, '0秒', '0 s', '0:00'],
    [6_900, '6秒', '6 s', '0:06'],
    [66_000, '1分06秒', '1 min 06 s', '1:06'],
    [7_509_000, '2小时05分', '2 h 05 min', '2:05:09'],
    [-5, '0秒', '0 s', '0:00'],
  ])('%d ms', (ms, inZh, inEn, running) => {
    expect([durationWords(ms, 'zh'), durationWords(ms, 'en'), timer(ms)]).toEqual([inZh, inEn, running]);
  });

  it.each([
    [1_000, '刚刚', 'just now'],
    [12_000, '12秒前', '12 s ago'],
    [180_000, '3分钟前', '3 min ago'],
    [7_200_000, '2小时前', '2 h ago'],
    [3 * 86_400_000, '3天前', '3 d ago'],
  ])('%d ms ago', (ms, inZh, inEn) => {
    expect([agoWords(ms, 'zh'), agoWords(ms, 'en')]).toEqual([inZh, inEn]);
  });

  it('shows the time of the room, and the date when it is not today there', () => {
    const at = Date.UTC(2026, 10, 24, 6, 3, 22);
    expect(clockTime(at, 'Asia/Shanghai', at, 'zh')).toBe('14:03:22');
    // 16:30 UTC is already the next day in Shanghai.
    expect(clockTime(at, 'Asia/Shanghai', Date.UTC(2026, 10, 24, 16, 30), 'zh')).toBe('11月24日 14:03:22');
    expect(clockTime(at, 'Asia/Shanghai', Date.UTC(2027, 0, 2), 'en')).toBe('24 Nov 2026 14:03:22');
    expect(clockTime(at, 'No/Such_Zone', at, 'en')).toBe('06:03:22');
    expect([zoneWords('Asia/Shanghai', 'zh'), zoneWords('America/New_York', 'en')]).toEqual(['北京时间', 'New York']);
  });

  it('shortens bytes', () => {
    expect([bytesWords(212e9), bytesWords(1.24e9), bytesWords(2.9e6), bytesWords(4_000)]).toEqual([
      '212 GB',
      '1.2 GB',
      '2.9 MB',
      '4 kB',
    ]);
  });
});

describe('words', () => {
  it('has every key in both languages with the same places', () => {
    const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(places(en[key]), key).toEqual(places(zh[key]));
    expect(say('zh', 'catching', { n: 12 })).toBe('正在补收 12 条');
  });

  it('has words for every behaviour', () => {
    for (const behaviour of BEHAVIOURS) {
      expect(behaviourWords(behaviour, 'zh')).toMatch(/\p{Script=Han}/u);
      expect(behaviourWords(behaviour, 'en')).not.toContain('_');
    }
  });

  it('names figures and their units; an unknown one is spelt out', () => {
    expect([figureWords('away', 'zh'), valueWords('away', 66, 's', 'zh')]).toEqual(['离席时长', '1分06秒']);
    expect(valueWords('somebodyShare', 0.04, '', 'en')).toBe('4 %');
    expect(valueWords('distance', 2.134, 'm', 'zh')).toBe('2.13 米');
    expect(valueWords('people', 6, '', 'zh')).toBe('6 人');
    expect(valueWords('score', -1.2, 'fsmn-zh', 'en')).toBe('−1.20');
    expect(figureWords('someNewThing', 'en')).toBe('some new thing');
  });

  it('names seats in the language of the desk', () => {
    const layout = layoutOf(1, plainZone);
    expect([seatWords(layout, '3', 'zh'), seatWords(layout, '3', 'en'), seatWords(undefined, '7', 'en')]).toEqual([
      '3号席',
      'Seat 3',
      'Seat 7',
    ]);
  });

  it('names what the log says', () => {
    expect(logWords('view_clip', 'zh')).toBe('查看录像');
    expect(logWords('brand_new', 'en')).toBe('brand new');
  });

  it('tells what the cloud did by itself, and a box, from a person', () => {
    expect(actorWords('王监督', 'zh')).toEqual({ words: '王监督', person: true });
    expect(actorWords('cloud', 'zh')).toEqual({ words: '系统自动', person: false });
    expect(actorWords('device:box-1', 'en')).toEqual({ words: 'box box-1', person: false });
    expect(actorWords('room:room-1', 'zh')).toEqual({ words: '评标室 room-1', person: false });
    expect(actorWords('claims:box-1', 'zh')).toEqual({ words: '自称 box-1', person: false });
  });
});

describe('the address', () => {
  it.each([
    '#/wall',
    '#/queue',
    '#/queue/ep%2F1?room=room-101&q=%E7%A6%BB%E5%B8%AD',
    '#/queue?room=room-101&seat=3',
    '#/devices',
    '#/log',
  ])('%s is read back as it was written', (hash) => {
    expect(formatAddress(parseAddress(hash))).toBe(hash);
  });

  it('shows the wall for anything that it does not know', () => {
    expect(parseAddress('')).toEqual({ page: 'wall' });
    expect(parseAddress('#/nowhere/%E0%A4%A')).toEqual({ page: 'wall' });
    expect(parseAddress('#/queue/%E0%A4%A')).toEqual({ page: 'queue' });
  });

  it('finds the one-time token', () => {
    expect(setupToken('#token=ab%2Dc')).toBe('ab-c');
    expect(setupToken('#/wall')).toBeUndefined();
  });
});
