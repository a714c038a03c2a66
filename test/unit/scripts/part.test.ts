/** A part whose parent dies ends well: also while it still has something to say, and while it was still loading. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PART = fileURLToPath(new URL('../../../scripts/part.ts', import.meta.url));

/** A process that talks to its parent all the time, also while it is being closed. */
function talker(loadingMs: number, task = '') {
  const script = `
    import { runPart, tellParent } from ${JSON.stringify(PART)};
    await new Promise((resolve) => setTimeout(resolve, ${loadingMs}));
    await runPart(async () => {
      ${task}
      const talking = setInterval(() => tellParent({ tick: true }), 1);
      return {
        ready: {},
        async close() {
          await new Promise((resolve) => setTimeout(resolve, 100));
          clearInterval(talking);
          console.log('closed well');
        },
      };
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  // Not the child's own `close`: it never comes where the parent has cut the channel.
  const ended = (async () => {
    const streams = [once(child.stdout!, 'close'), once(child.stderr!, 'close')];
    const [code] = (await once(child, 'exit')) as [number | null];
    await Promise.all(streams);
    return { code, text };
  })();
  return { child, ended };
}

it('closes its parts although nobody hears it any more', async () => {
  const { child, ended } = talker(0);
  await new Promise((resolve) => child.once('message', resolve));
  child.disconnect();
  expect(await ended).toEqual({ code: 0, text: 'closed well\n' });
});

it('closes its parts when a terminal and then its parent ask it to end', async () => {
  const { child, ended } = talker(0);
  await once(child, 'message');
  // Ctrl-C goes to every process of the terminal; the parent, which got it too, sends its own word at once.
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, text: 'closed well\n' });
});

it('closes its parts when a task of its own fails, and says so by its exit code', async () => {
  const { ended } = talker(0, "setTimeout(() => void Promise.reject(new Error('the outbox is damaged')), 20);");
  const { code, text } = await ended;
  expect(code).toBe(1);
  expect(text).toContain('the outbox is damaged');
  expect(text).toContain('closed well');
});

it('ends when the parent was gone before it was ready', async () => {
  const { child, ended } = talker(300);
  child.disconnect();
  expect(await ended).toEqual({ code: 0, text: 'closed well\n' });
}, 20_000);
