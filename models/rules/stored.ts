/** What is kept of episodes and their words, in the cloud as on a box: what a draft of a rule pack is tried on. */
import { type Behaviour, type EpisodeBody, isSuspected, type Level, type Transcript } from '../../protocol/event.ts';
import type { ProjectWords } from '../speech/lexicon/slots.ts';

/** Words that came with an event; `suspected`: as only suspected, and never confirmed in the same words. */
export type StoredWords = Transcript & { readonly suspected?: true };

/** What is kept of one episode: its last state, and every transcript that came with it. */
export interface StoredEpisode {
  readonly episodeId: string;
  readonly roomId: string;
  readonly behaviour: Behaviour;
  readonly level: Level;
  readonly beganWallMs: number;
  readonly durationMs: number;
  readonly fault?: string;
  readonly transcripts: readonly StoredWords[];
  /** Who bid in its evaluation, where that is known: slots of phrases were filled with them. */
  readonly bidders?: ProjectWords['bidders'];
}

/**
 * The words of one more event of an episode, beside those before it. The words after a phrase come later: the longer account
 * of the same words takes the place of the shorter, and once confirmed they stay so.
 */
export function withWords(known: readonly StoredWords[], body: EpisodeBody): readonly StoredWords[] {
  const { transcript } = body;
  if (!transcript) return known;
  const same = known.find((one) => one.hit[0] === transcript.hit[0] && upTo(one) === upTo(transcript));
  if (!same) return [...known, isSuspected(body) ? { ...transcript, suspected: true } : transcript];
  const { suspected, ...before } = same;
  const longer = transcript.text.length > before.text.length ? transcript : before;
  const words = suspected && isSuspected(body) ? { ...longer, suspected } : longer;
  return known.map((one) => (one === same ? words : one));
}

const upTo = ({ text, hit }: Transcript) => text.slice(0, hit[1]);
