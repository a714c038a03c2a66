/** What every behaviour's state machine looks like; the list of them is rules.ts. */
import type { DraftEvent } from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { RulePack } from '../../protocol/rules.ts';
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
  /** `open`: latest events of this room's episodes that were going on before a restart; a rule takes up its own. */
  start(context: Omit<RuleContext, 'ids'>, at: Instant, open: readonly DraftEvent[]): State;
  step(state: State, scene: Scene, context: RuleContext): readonly [State, readonly DraftEvent[]];
}
