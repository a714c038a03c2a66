// Shows each long step of the set-up while it runs: a moving line on a terminal, plain lines elsewhere.
import { spawn } from 'node:child_process';

/** Seconds since `startMs` with one decimal, as people read them. */
function seconds(startMs) {
  return `${((Date.now() - startMs) / 1000).toFixed(1)} s`;
}

/** A step failed: `tail` is the end of what its command printed, `advice` what to do about it. */
export class StepFailed extends Error {
  constructor(title, reason, tail, advice) {
    super(`${title}: ${reason}`);
    this.tail = tail;
    this.advice = advice;
  }
}

/** Runs steps one after the other and shows which one of how many is going on, for how long, and its latest line. */
export class Progress {
  constructor({ out = process.stderr, count }) {
    this.out = out;
    this.count = count;
    this.index = 0;
    this.title = '';
    this.startMs = 0;
  }

  /** Begins the next step. */
  begin(title) {
    this.index++;
    this.title = title;
    this.startMs = Date.now();
    if (!this.out.isTTY) this.out.write(`[${this.index}/${this.count}] ${title} …\n`);
  }

  /** Redraws the moving line with the latest output of the step. */
  draw(latest) {
    if (!this.out.isTTY) return;
    const line = `[${this.index}/${this.count}] ${this.title}  ${seconds(this.startMs)}  ${latest}`;
    this.out.write(`\r\x1b[2K${line.slice(0, Math.max(20, (this.out.columns ?? 80) - 1))}`);
  }

  /** Says on a plain log that a long step is still at work. */
  remind(latest) {
    if (!this.out.isTTY) this.out.write(`      still at it after ${seconds(this.startMs)}: ${latest.slice(0, 120)}\n`);
  }

  /** Ends the step with its time. */
  end() {
    const line = `[${this.index}/${this.count}] ${this.title}: done in ${seconds(this.startMs)}`;
    this.out.write(this.out.isTTY ? `\r\x1b[2K${line}\n` : `${line}\n`);
  }

  /** Ends the moving line so that an error can be printed below it. */
  interrupt() {
    if (this.out.isTTY) this.out.write('\n');
  }

  /** Runs one command as (a part of) the current step; rejects with a StepFailed when it does not end with 0. */
  run(command, args, { env = {}, cwd, advice = '' } = {}) {
    return new Promise((resolve, reject) => {
      const lines = [];
      let latest = `${command} ${args.slice(0, 3).join(' ')}`;
      const child = spawn(command, args, {
        cwd,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const redraw = setInterval(() => this.draw(latest), 200);
      const reminder = setInterval(() => this.remind(latest), 15_000);
      // Ctrl-C on a terminal reaches the child by itself; a signal sent to this process alone does not.
      const stop = (signal) => child.kill(signal);
      process.on('SIGTERM', stop);
      process.on('SIGINT', stop);
      const take = (chunk) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the child's output are taken out
        const plain = String(chunk).replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
        for (const line of plain.split(/[\r\n]+/)) {
          if (!line.trim()) continue;
          latest = line.trim();
          lines.push(line);
          if (lines.length > 200) lines.shift();
        }
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      const finish = (reason) => {
        clearInterval(redraw);
        clearInterval(reminder);
        process.off('SIGTERM', stop);
        process.off('SIGINT', stop);
        if (reason === undefined) resolve(lines);
        else reject(new StepFailed(this.title, reason, lines.slice(-25).join('\n'), advice));
      };
      child.on('error', (error) => finish(`${command} could not be started (${error.message})`));
      child.on('close', (code, signal) => {
        finish(code === 0 ? undefined : `${command} ended with ${signal ?? `exit code ${code}`}`);
      });
    });
  }
}
