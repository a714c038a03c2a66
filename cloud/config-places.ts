/** Beside config.ts: `provinces` of cloud.yaml, which centres are in which province, so that a rule pack can be published to a province. */
import { z } from 'zod';

const word = z.string().trim().min(1).max(200);

/** Centres as their boxes call them (`room.centre` of room.yaml), by province. */
export const provincesShape = z.record(word, z.array(word).min(1).max(2000));

export interface PlacesConfig {
  /** The province of a centre; a centre that is not named has none. */
  readonly provinces?: ReadonlyMap<string, string>;
}

/** A centre is in one province: anything else is a fault. */
export function provincesOf(
  provinces: z.output<typeof provincesShape> | undefined,
  faults: string[],
): ReadonlyMap<string, string> | undefined {
  if (provinces === undefined) return undefined;
  const found = new Map<string, string>();
  for (const [province, centres] of Object.entries(provinces))
    for (const centre of centres) {
      const other = found.get(centre);
      if (other !== undefined && other !== province)
        faults.push(`provinces.${province}: ${centre} is in ${other} already; name a centre in one province`);
      found.set(centre, province);
    }
  return found;
}
