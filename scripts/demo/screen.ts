/** What the demo prints: a step at a time, one URL, then each alert as one sentence. */
import { styleText } from 'node:util';

export interface Screen {
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  running(what: {
    url: string;
    setupUrl?: string;
    roomId: string;
    children: readonly { name: string; pid: number }[];
  }): void;
  /** A word of the agent over IPC. */
  said(said: Readonly<Record<string, unknown>>): void;
  note(text: string): void;
  ending(): void;
  ended(): void;
}

/** `quiet`: progress goes to standard error, so that the last line of standard output stays machine-readable. */
export function createScreen(out: NodeJS.WriteStream, { quiet }: { quiet: boolean }): Screen {
  const print = (line: string) => void (quiet ? process.stderr : out).write(`${line}\n`);
  const dim = (text: string) => styleText('dim', text);
  return {
    async step(title, work) {
      const from = performance.now();
      const result = await work();
      print(`  ${styleText('green', '✓')} ${title} ${dim(`${((performance.now() - from) / 1000).toFixed(1)} s`)}`);
      return result;
    },
    running({ url, setupUrl, roomId, children }) {
      print('');
      print(`evalroom is running: room ${roomId}, ${children.map((child) => `${child.name} ${child.pid}`).join(', ')}`);
      print('');
      print(`  ${styleText(['bold', 'underline'], setupUrl ?? url)}`);
      print('');
      print(
        setupUrl
          ? dim('  The address works once, for the first supervisor. Ctrl-C ends everything.')
          : dim('  Log in as the supervisor made before (npm start -- --fresh begins anew). Ctrl-C ends everything.'),
      );
      print('');
    },
    said(said) {
      if (typeof said.sentence !== 'string') return;
      const alarm = said.level === 'alarm';
      print(
        `${dim(String(said.time ?? ''))}  ${styleText(alarm ? 'red' : 'yellow', alarm ? 'alarm ' : 'notice')}  ${said.sentence}`,
      );
    },
    note: (text) => print(`  ${styleText('yellow', '!')} ${text}`),
    ending: () => print(dim('ending …')),
    ended: () => print(dim('all parts have ended')),
  };
}
