/** What was heard, with the hit marked; Chinese shows its pinyin above while the pointer is on it, fetched only then. */
import { useState } from 'preact/hooks';
import type { Transcript } from '../../../protocol/event.ts';

interface Sign {
  readonly text: string;
  readonly sound: string;
}

export function Heard({ transcript }: { transcript: Transcript }) {
  const { text, hit, language } = transcript;
  const [signs, setSigns] = useState<readonly Sign[]>();
  const [over, setOver] = useState(false);
  const chinese = language.startsWith('zh') && /\p{Script=Han}/u.test(text);
  const show = () => {
    setOver(true);
    if (!chinese || signs) return;
    // A dictionary of this size has no place in the first load.
    void import('pinyin-pro').then(({ pinyin }) => {
      const sounds = pinyin(text, { type: 'array' });
      const letters = [...text];
      if (sounds.length === letters.length)
        setSigns(letters.map((letter, i) => ({ text: letter, sound: sounds[i] ?? '' })));
    });
  };
  const parts = [text.slice(0, hit[0]), text.slice(hit[0], hit[1]), text.slice(hit[1])];
  const before = [...(parts[0] ?? '')].length;
  const marked = [...(parts[1] ?? '')].length;
  return (
    <p class="heard" lang={language} onPointerEnter={show} onPointerLeave={() => setOver(false)}>
      {over && signs ? (
        signs.map((sign, i) => {
          const ruby = (
            <ruby>
              {sign.text}
              <rt>{sign.sound === sign.text ? '' : sign.sound}</rt>
            </ruby>
          );
          return i >= before && i < before + marked ? <mark key={i}>{ruby}</mark> : <span key={i}>{ruby}</span>;
        })
      ) : (
        <>
          {parts[0]}
          <mark>{parts[1]}</mark>
          {parts[2]}
        </>
      )}
    </p>
  );
}
