/** The misses and false alarms of one run of `evalroom eval speech`: what people read, and the sound behind it as far as a page holds it. */
import type { RulePack } from '../protocol/rules.ts';
import { type Condition, cutOf, type HeardClip, nameOfCondition } from './eval-speech-listen.ts';
import type { Plan } from './eval-speech-phrases.ts';
import { type Mistake, MOST } from './eval-speech-report.ts';
import { judgeClip, listDrawn, type ScoredClip } from './eval-speech-score.ts';

/** Seconds of sound before and after the place of a mistake; of one without a place the clip's beginning. */
const [BEFORE_S, AFTER_S, WHOLE_S] = [5, 3, 30];

type TakenClip = ScoredClip & Pick<HeardClip, 'take'>;

interface Place {
  readonly kind: Mistake['kind'];
  readonly one: TakenClip;
  readonly phrase: string;
  readonly endS: number | undefined;
}

function placesOf(scored: readonly TakenClip[], { pack, drawn, meant, sound }: Plan): Place[] {
  if (drawn)
    return listDrawn(scored, drawn, sound).map(({ phrase, one, wrong }) => ({
      kind: wrong ? 'false' : 'missed',
      one,
      phrase,
      endS: wrong?.hits[0]?.endS,
    }));
  return scored.flatMap((one) => {
    const { missed, wrong } = judgeClip(one, meant);
    return [
      ...missed.map(({ phrase, endS }): Place => ({ kind: 'missed', one, phrase, endS })),
      ...wrong.map(({ phraseId, hits }): Place => {
        return { kind: 'false', one, phrase: nameOf(pack, phraseId), endS: hits[0]?.endS };
      }),
    ];
  });
}

/** What people read for a phrase: its id is its text, or stands beside it. */
function nameOf({ phrases }: RulePack, phraseId: string): string {
  const text = phrases.find((phrase) => phrase.phraseId === phraseId)?.forms[0];
  return text === undefined || text === phraseId ? phraseId : `${phraseId} ${text}`;
}

/** Prints each mistake. `keep`: hold the sound too, together with that of `before` no more than a page takes. */
export async function mistakesOf(deps: {
  scored: readonly TakenClip[];
  plan: Plan;
  condition: Condition;
  before: readonly Mistake[];
  keep: boolean;
  print(line: string): void;
}): Promise<Mistake[]> {
  const { scored, plan, condition, before, keep, print } = deps;
  let kept = before.filter(({ samples }) => samples).length;
  let keptS = before.reduce((sum, { samples }) => sum + (samples?.length ?? 0) / 16_000, 0);
  const mistakes: Mistake[] = [];
  for (const { kind, one, phrase, endS } of placesOf(scored, plan)) {
    const { file } = one.clip;
    print(`${kind.padEnd(6)}  ${file}: ${phrase}${endS === undefined ? '' : ` at ${endS.toFixed(2)} s`}`);
    const full = !keep || kept >= MOST.sounds || keptS >= MOST.seconds;
    const [fromS, toS] = endS === undefined ? [-1, WHOLE_S] : [endS - BEFORE_S, endS + AFTER_S];
    const samples = full ? undefined : await cutOf(one.take, fromS!, toS!);
    if (samples) {
      kept++;
      keptS += samples.length / 16_000;
    }
    mistakes.push({
      condition: nameOfCondition(condition),
      kind,
      file,
      phrase,
      ...(endS === undefined ? {} : { atS: endS }),
      ...(samples ? { samples } : {}),
    });
  }
  return mistakes;
}
