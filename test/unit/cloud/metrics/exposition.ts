/** Reads an exposition by the rules of the format and refuses what Prometheus would refuse. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LINE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/** Throws where a line is none, a family is without type or torn apart, a series comes twice, or a counter falls below 0. */
export function readExposition(text: string): Sample[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const series = new Set<string>();
  let family: string | undefined;
  let helped: string | undefined;
  for (const line of text.split('\n').slice(0, -1)) {
    const help = new RegExp(`^# HELP (${NAME}) (.*)$`).exec(line);
    const type = new RegExp(`^# TYPE (${NAME}) (gauge|counter)$`).exec(line);
    if (help) {
      if (types.has(help[1]!)) throw new Error(`${help[1]} is torn apart`);
      if (/\\(?![\\n])/.test(help[2]!.replaceAll('\\\\', ''))) throw new Error(`help of ${help[1]}: a bare backslash`);
      helped = help[1];
      continue;
    }
    if (type) {
      if (type[1] !== helped || types.has(type[1]!)) throw new Error(`type of ${type[1]}: without help, or twice`);
      family = type[1]!;
      types.set(family, type[2]!);
      if ((type[2] === 'counter') !== family.endsWith('_total')) throw new Error(`${family} as a ${type[2]}`);
      continue;
    }
    const [, name, labelText = '', number = ''] = LINE.exec(line) ?? [];
    if (name === undefined) throw new Error(`no sample: ${line}`);
    if (name !== family) throw new Error(`${name} stands under ${family}`);
    const labels: Record<string, string> = {};
    for (let rest = labelText; rest !== ''; ) {
      const found = LABEL.exec(rest);
      if (!found || found[1]! in labels || found[1]!.startsWith('__')) throw new Error(`labels: ${line}`);
      labels[found[1]!] = found[2]!.replaceAll(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
      rest = rest.slice(found[0].length);
    }
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (series.has(key)) throw new Error(`twice: ${line}`);
    series.add(key);
    const value = { '+Inf': Number.POSITIVE_INFINITY, '-Inf': Number.NEGATIVE_INFINITY }[number] ?? Number(number);
    if (Number.isNaN(value) && number !== 'NaN') throw new Error(`no number: ${line}`);
    if (types.get(family) === 'counter' && !(value >= 0)) throw new Error(`a counter below 0: ${line}`);
    samples.push({ name, labels, value });
  }
  return samples;
}

/** The value of the one series with these labels (among others); undefined where there is none. */
export function figureOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} series of ${name}`);
  return found[0]?.value;
}
