/** Beside the path: figures as the text that Prometheus reads (its exposition format 0.0.4). */
import { Bug } from '../../protocol/errors.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;
/** Adds one sample. A second one with the same labels is left out: whoever reads it would refuse the whole text. */
export type Sample = (value: number, labels?: Labels) => void;

export interface Exposition {
  /** A metric; counters end in `_total`. Throws Bug `bad_metric` for a name that is none, or for the same name twice. */
  metric(name: string, type: 'gauge' | 'counter', help: string): Sample;
  /** All metrics that have samples, each with its help and type before them; ends with a line feed. */
  text(): string;
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function createExposition(): Exposition {
  const metrics = new Map<string, { readonly head: string; readonly lines: Map<string, string> }>();
  return {
    metric(name, type, help) {
      if (!NAME.test(name) || (type === 'counter') !== name.endsWith('_total') || metrics.has(name))
        throw new Bug('bad_metric', `naming a metric: ${name} is no name for a ${type}, or is there already`);
      const head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
      const lines = new Map<string, string>();
      metrics.set(name, { head, lines });
      return (value, labels) => {
        const series = `${name}${written(labels)}`;
        if (!lines.has(series)) lines.set(series, `${series} ${figure(value)}\n`);
      };
    },
    text() {
      const parts: string[] = [];
      for (const { head, lines } of metrics.values()) if (lines.size > 0) parts.push(head, ...lines.values());
      return parts.join('');
    },
  };
}

function written(labels: Labels | undefined): string {
  const pairs = Object.entries(labels ?? {});
  if (pairs.length === 0) return '';
  for (const [name] of pairs)
    if (!NAME.test(name) || name.startsWith('__')) throw new Bug('bad_metric', `naming a label: ${name} is no name`);
  return `{${pairs.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function figure(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
