/** The rule pack in force: room.yaml's, until the cloud orders another one that is signed by a key this box trusts. */
import { readFileSync } from 'node:fs';
import { loadRulePack } from '../models/rules/load.ts';
import { openRulePack, rulesKeysIn } from '../models/rules/sign.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { RulePackOrder } from '../protocol/orders.ts';
import type { RulePack } from '../protocol/rules.ts';

export interface RulesHolder {
  current(): RulePack;
  /**
   * Takes what the cloud orders; undefined: nothing, and room.yaml counts again. Throws Forbidden `rule_pack_key`,
   * `rule_pack_forged`, InvalidInput `rules_key_bad`, `rule_pack_invalid`, `rule_pack_other`, `rule_pack_unheard`, and
   * leaves the pack as it was.
   */
  take(order: RulePackOrder | undefined): void;
  /** Called when another pack is in force. */
  onChange(listener: (pack: RulePack, before: RulePack) => void): void;
}

/**
 * `rulePack`: what room.yaml names. The key file is read anew at each order: it comes with an enrolment or a renewal. Who
 * receives orders keeps the last good one on the disk.
 */
export function createRulesHolder({
  rulePack,
  keyFile,
}: {
  readonly rulePack: string;
  readonly keyFile: string;
}): RulesHolder {
  const listeners: ((pack: RulePack, before: RulePack) => void)[] = [];
  const own = loadRulePack(rulePack);
  let current = own;
  return {
    current: () => current,
    take(order) {
      const next = order ? openRulePack(order, readKeys(keyFile)) : own;
      const before = current;
      if (next === before) return;
      current = next;
      for (const listener of listeners) listener(next, before);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

function readKeys(path: string) {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new InvalidInput('rules_key_bad', `reading ${path}: ${(error as Error).message}`, error);
  }
  return rulesKeysIn(pem, path);
}
