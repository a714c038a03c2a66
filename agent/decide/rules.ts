/** The list of rules that the room runs. One behaviour is one file; a new one is added here and nowhere else. */
import type { DraftEvent, EpisodeBody } from '../../protocol/event.ts';
import type { RulePack } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import { atOtherSeat } from './at-other-seat.ts';
import { cameraFault } from './camera-fault.ts';
import { extraPerson } from './extra-person.ts';
import { gathering } from './gathering.ts';
import { lateOrEarly } from './late-or-early.ts';
import { leftRoom } from './left-room.ts';
import { leftSeat } from './left-seat.ts';
import { leftTogether } from './left-together.ts';
import { microphoneFault } from './microphone-fault.ts';
import { notComplete } from './not-complete.ts';
import { offSubject } from './off-subject.ts';
import { outsideContact } from './outside-contact.ts';
import { passingItems } from './passing-items.ts';
import { phone } from './phone.ts';
import { poorSound } from './poor-sound.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { sleeping } from './sleeping.ts';
import { speechRules } from './speech.ts';
import { standing } from './standing.ts';
import { tooFar } from './too-far.ts';
import { walkingAbout } from './walking-about.ts';
import { whispering } from './whispering.ts';

/** Rule with its state's type closed over, so that rules of different states stand in one list. */
export interface AnyRule {
  readonly name: string;
  readonly packKey: string;
  readonly keepsOnRelay: boolean;
  owns(body: EpisodeBody): boolean;
  isOff(pack: RulePack, body: EpisodeBody): boolean;
  start(context: Omit<RuleContext, 'ids'>, at: Instant, open: readonly DraftEvent[]): unknown;
  step(state: unknown, scene: Scene, context: RuleContext): readonly [unknown, readonly DraftEvent[]];
}

function any<State>(rule: Rule<State>): AnyRule {
  return {
    name: rule.name,
    packKey: rule.packKey ?? rule.name,
    keepsOnRelay: rule.keepsOnRelay ?? false,
    owns: rule.owns ?? (({ behaviour }) => behaviour === rule.name),
    isOff: rule.isOff ?? (() => false),
    start: rule.start,
    step: (state, scene, context) => rule.step(state as State, scene, context),
  };
}

/** In the order in which they run: faults first, so that a blind room says so before anything else. */
export const RULES: readonly AnyRule[] = [
  any(cameraFault),
  any(microphoneFault),
  any(poorSound),
  any(leftSeat),
  any(tooFar),
  any(leftRoom),
  any(leftTogether),
  any(standing),
  any(atOtherSeat),
  any(whispering),
  any(gathering),
  any(phone),
  any(outsideContact),
  any(passingItems),
  any(sleeping),
  any(walkingAbout),
  any(extraPerson),
  any(notComplete),
  any(lateOrEarly),
  ...speechRules.map((rule) => any(rule)),
  any(offSubject),
];
