/** What every behaviour's state machine looks like; the list of them is rules.ts. */
import type { DraftEvent, EpisodeBody } from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { RulePack, Rules } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import type { EpisodeIds } from './episode.ts';
import type { Scene } from './scene.ts';

/** What a rule is given besides the scene. */
export interface RuleContext {
  readonly layout: RoomLayout;
  readonly pack: RulePack;
  readonly ids: EpisodeIds;
}

/** A state machine of one behaviour. Pure; its state is plain data. Does nothing when the pack has no such rule. */
export interface Rule<State> {
  readonly name: string;
  /** Its key in the pack's rules; default its name. Several rules may share one: they go on and off together. */
  readonly packKey?: keyof Rules;
  /** Whether this episode is its own, for rules that share a behaviour; default: the behaviour is its name. */
  owns?(body: EpisodeBody): boolean;
  /** True when the pack has the rule but does not look for this one of its episodes. */
  isOff?(pack: RulePack, body: EpisodeBody): boolean;
  /** Its state knows nothing of the layout and goes on under another one; default: it begins anew. */
  readonly keepsOnRelay?: true;
  /** `open`: latest events of this room's episodes that were going on before a restart; a rule takes up its own. */
  start(context: Omit<RuleContext, 'ids'>, at: Instant, open: readonly DraftEvent[]): State;
  step(state: State, scene: Scene, context: RuleContext): readonly [State, readonly DraftEvent[]];
}
