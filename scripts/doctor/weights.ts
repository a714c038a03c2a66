/** Looks at the model weights: which eyes and ears this machine has, each file compared with the manifest. */
import {
  acceptedHashes,
  DEFAULT_FOLDER,
  findWeight,
  howToGet,
  loadManifest,
  verifyFile,
  type Weight,
} from '../../models/manifest.ts';
import { attention, broken, type Finding, ok, wordsOf } from './finding.ts';

/** What each group of weights is for, and whether a room can do without it. */
const GROUPS = [
  { group: 'default', part: 'eyes', without: 'the room is blind', needed: true },
  {
    group: 'better',
    part: 'better eyes',
    without: 'small and half-hidden people are missed more often',
    needed: false,
  },
  { group: 'zh', part: 'ear for Mandarin', without: 'the room is deaf in Mandarin', needed: false },
  { group: 'en', part: 'ear for English', without: 'the room is deaf in English', needed: false },
] as const;

/** One finding for each group: all files there and right, or the first that is not. */
export async function lookAtWeights(folders: readonly string[] = defaultFolders()): Promise<Finding[]> {
  const { weights } = await loadManifest();
  const findings: Finding[] = [];
  for (const { group, part, without, needed } of GROUPS) {
    const wanted = weights.filter(({ groups }) => groups.includes(group));
    const faults = (await Promise.all(wanted.map((weight) => faultOf(weight, group, folders)))).filter(
      (fault) => fault !== undefined,
    );
    const [fault] = faults;
    if (fault === undefined) findings.push(ok(part, `${wanted.length} files, hashes as in the manifest`));
    else if (needed || fault.wrong) findings.push(broken(part, `${fault.reason}: ${without}`, fault.todo));
    else findings.push(attention(part, `${fault.reason}: ${without}`, fault.todo));
  }
  return findings;
}

function defaultFolders(): string[] {
  return [...(process.env.EVALROOM_MODELS ? [process.env.EVALROOM_MODELS] : []), DEFAULT_FOLDER];
}

interface Fault {
  readonly reason: string;
  readonly todo: string;
  /** There, but not the bytes that it should be. */
  readonly wrong: boolean;
}

async function faultOf(weight: Weight, group: string, folders: readonly string[]): Promise<Fault | undefined> {
  const fetched = `run evalroom models fetch ${group} (--from FOLDER where there is no network)`;
  const todo = weight.source === 'fetch' ? fetched : howToGet(weight);
  const file = await findWeight(weight, folders);
  if (file === undefined) return { reason: `${weight.name} is missing`, todo, wrong: false };
  const accepted = await Promise.all(folders.map(acceptedHashes));
  const acceptSha256 = accepted.flatMap((hashes) => hashes[weight.name] ?? []);
  try {
    await verifyFile({ weight, file, acceptSha256 });
    return undefined;
  } catch (error) {
    return { reason: wordsOf(error), todo: `or ${todo}`, wrong: true };
  }
}
