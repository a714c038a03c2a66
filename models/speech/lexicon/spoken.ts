/** How signs of a written phrase are said: digits, per cent and letters become words, before anything spells the phrase. */

const DIGITS = [...'零一二三四五六七八九'];
const UNITS = ['', '十', '百', '千'];
const GROUPS = ['', '万', '亿', '万亿'];
/** Names of Latin letters as Mandarin speakers say them. */
const LETTERS: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'A诶 B必 C西 D弟 E一 F艾付 G吉 H艾尺 I爱 J杰 K开 L艾勒 M艾木 N恩 O欧 P批 Q扣 R阿尔 S艾斯 T提 U优 V威 W大不溜 X艾克斯 ' +
    'Y外 Z贼'
  )
    .split(' ')
    .map((entry) => [entry[0]!, entry.slice(1)]),
);
/** Readings that one text may have; a text full of numbers would have hundreds. */
const MOST = 6;

const one = (digit: string) => DIGITS[Number(digit)]!;

/** Below ten thousand, without a leading 零. */
function belowWan(digits: string): string {
  let said = '';
  let gap = false;
  [...digits].forEach((digit, i) => {
    if (digit === '0') {
      gap = said !== '';
      return;
    }
    said += `${gap ? '零' : ''}${one(digit)}${UNITS[digits.length - 1 - i]}`;
    gap = false;
  });
  return said;
}

/** A whole number as a quantity: 105 is 一百零五, 2000 is 两千; undefined beyond 16 digits. */
export function quantity(digits: string): string | undefined {
  if (digits.length > 16) return undefined;
  if (/^0*$/.test(digits)) return '零';
  const groups: string[] = [];
  for (let end = digits.length; end > 0; end -= 4) groups.push(digits.slice(Math.max(0, end - 4), end));
  let said = '';
  for (const [index, group] of [...groups.entries()].reverse()) {
    const words = belowWan(group);
    if (words === '') continue;
    const short = said !== '' && group.startsWith('0');
    said += `${short ? '零' : ''}${words}${GROUPS[index]}`;
  }
  return said
    .replace(/^一十/, '十')
    .replace(/二(?=[千万亿])/g, '两')
    .replace(/十两(?=[万亿])/g, '十二');
}

/** How a number may be said. `before` and `after` are its neighbours in the text. */
function numbers(written: string, before: string, after: string): string[] {
  const [whole = '', fraction] = written.replace(/,(?=\d{3})/g, '').split('.');
  const singly = [...whole].map(one).join('');
  const value = /^0\d/.test(whole) ? undefined : quantity(whole);
  if (fraction !== undefined) return [`${value ?? singly}点${[...fraction].map(one).join('')}`];
  if (value === undefined) return [singly];
  // Two of something is 两, number two is 二: both where it stands before anything.
  if (whole === '2') return before === '第' || after === '' || after === '%' ? ['二'] : ['两', '二'];
  const found = whole.length >= 3 && !written.includes(',') ? [value, singly] : [value];
  // A year is said digit by digit.
  return after === '年' && whole.length === 4 ? found.reverse() : found;
}

const SIGNS = /\d+(?:,\d{3})*(?:\.\d+)?(?:\s*[%‰])?|(?<![A-Za-z])[A-Z]{1,4}(?![A-Za-z])/g;

function mandarin(written: string): string[] {
  const text = written.normalize('NFKC').replace(/(?<=\d%?)\s*[-~–—～]\s*(?=\d)/g, '到');
  let said = [''];
  let from = 0;
  const append = (choices: readonly string[]) => {
    said = said.flatMap((start) => choices.map((choice) => start + choice)).slice(0, MOST);
  };
  for (const { 0: sign, index } of text.matchAll(SIGNS)) {
    append([text.slice(from, index)]);
    from = index + sign.length;
    if (/^[A-Z]/.test(sign)) append([[...sign].map((letter) => LETTERS[letter]).join('')]);
    else {
      const number = /^[\d,.]+/.exec(sign)![0];
      const share = sign.endsWith('%') ? '百分之' : sign.endsWith('‰') ? '千分之' : '';
      const choices = numbers(number, text[index - 1] ?? '', share ? '%' : (text[from] ?? ''));
      append(share ? [`${share}${choices[0]}`] : choices);
    }
  }
  append([text.slice(from)]);
  return said;
}

const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

function english(value: number): string {
  const rest = (size: number) => (value % size === 0 ? '' : ` ${english(value % size)}`);
  if (value < 20) return ONES[value]!;
  if (value < 100) return `${TENS[Math.floor(value / 10) - 2]}${rest(10)}`;
  if (value < 1000) return `${ONES[Math.floor(value / 100)]} hundred${rest(100)}`;
  if (value < 1e6) return `${english(Math.floor(value / 1000))} thousand${rest(1000)}`;
  return `${english(Math.floor(value / 1e6))} million${rest(1e6)}`;
}

/** Whole numbers below a thousand million and their decimals; the rest stays as it is written. */
function inEnglish(text: string): string[] {
  return [
    text.replace(
      /(?<![\d.])(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d+))?(?![\d.]*\d|[a-z])(\s*%)?/gi,
      (_, whole, part, share) => {
        const digits = part === undefined ? '' : ` point ${[...part].map((digit) => ONES[Number(digit)]).join(' ')}`;
        return `${english(Number(whole.replaceAll(',', '')))}${digits}${share ? ' percent' : ''}`;
      },
    ),
  ];
}

/**
 * What a text sounds like when it is read aloud, the likeliest reading first; the text itself where nothing in it has to be
 * read. In Mandarin: numbers (2024 as a quantity and digit by digit), per cent and up to four capital letters in a row. What
 * cannot be read stays as it is.
 */
export function spokenForms(text: string, language: string): string[] {
  if (language.startsWith('zh')) return /[\dA-Z０-９Ａ-Ｚ]/.test(text) ? mandarin(text) : [text];
  return /\d/.test(text) ? inEnglish(text) : [text];
}
