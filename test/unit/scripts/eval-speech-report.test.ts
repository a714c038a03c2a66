/** The report of the ears: figures side by side, each mistake with a sound that plays, nothing unescaped. */
import { describe, expect, it } from 'vitest';
import { speechReport } from '../../../scripts/eval-speech-report.ts';

const mistake = (phrase: string) => ({
  condition: 'noise 10 dB',
  kind: 'false' as const,
  file: 'a<b>.wav',
  phrase,
  atS: 1.5,
  samples: Int16Array.from([0, 1, -1, 32767]),
});

describe('speechReport', () => {
  it('shows every figure and a WAV file for each mistake', () => {
    const page = speechReport([{ recallAll: 0.96 }, { recallAll: 1, hours: 2 }], [mistake('回扣')]);
    expect(page).toContain('<th>recallAll</th><td>0.9600</td><td>1</td>');
    expect(page).toContain('a&lt;b&gt;.wav');
    const wav = Buffer.from(/base64,([^"]+)"/.exec(page)![1]!, 'base64');
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect(wav.readUInt32LE(40)).toBe(8);
    expect(wav.readInt16LE(50)).toBe(32767);
  });

  it('says which mistakes have no sound', () => {
    const { samples: _samples, ...mute } = mistake('回扣');
    expect(speechReport([], [mute])).toContain('1 have no sound');
  });

  it('says how many it left out', () => {
    expect(
      speechReport(
        [],
        Array.from({ length: 503 }, (_, i) => mistake(String(i))),
      ),
    ).toContain('3 more');
  });
});
