/** Beside main.ts: the first event of each start says what runs here. */
import type { Eyes } from '../models/pose/eyes.ts';
import packageJson from '../package.json' with { type: 'json' };
import type { RulePack } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import type { RoomConfig } from './config.ts';
import type { Watch } from './watch.ts';

/** Versions of program, rule pack and models, and the hash of room.yaml. */
export function recordBoot(
  watch: Watch,
  { config, pack, eyes, clock }: { config: RoomConfig; pack: RulePack; eyes: Eyes; clock: Clock },
): void {
  watch.record([
    {
      at: clock.now(),
      body: {
        kind: 'boot',
        agentVersion: packageJson.version,
        rulePack: { name: pack.name, version: pack.version },
        modelSet: eyes.modelSet,
        configSha256: config.sha256,
      },
    },
  ]);
}
