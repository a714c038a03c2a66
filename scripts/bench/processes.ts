/** Processor time and memory of processes as the Linux kernel counts them, finished threads included. */
import { readdirSync, readFileSync } from 'node:fs';

/** Kernel ticks are hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10;

export interface ProcessUse {
  readonly pid: number;
  readonly name: string;
  /** Own time in user and system mode. */
  readonly cpuMs: number;
  /** Time of children that have ended and been waited for: short-lived ones show up nowhere else. */
  readonly endedMs: number;
  readonly rssBytes: number;
}

/** The process and all its descendants; one that ended meanwhile is left out. */
export function processTree(root: number): ProcessUse[] {
  const children = new Map<number, number[]>();
  const uses = new Map<number, ProcessUse>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const read = readProcess(Number(entry));
    if (!read) continue;
    uses.set(read.use.pid, read.use);
    children.set(read.parent, [...(children.get(read.parent) ?? []), read.use.pid]);
  }
  const found: ProcessUse[] = [];
  for (const queue = [root]; queue.length > 0; ) {
    const pid = queue.shift()!;
    const use = uses.get(pid);
    if (use) found.push(use);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

function readProcess(pid: number): { parent: number; use: ProcessUse } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name stands in brackets and may hold blanks; fields count from behind it.
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  const endedMs = (Number(fields[13]) + Number(fields[14])) * TICK_MS;
  return { parent: Number(fields[1]), use: { pid, name, cpuMs, endedMs, rssBytes: Number(fields[21]) * 4096 } };
}
