/** Runs one part of the product as a process: ready word, orders over IPC, and a clean end on SIGINT, SIGTERM or an orphaned parent. */

export interface Part {
  /** Sent to a parent that started this process with an IPC channel. */
  readonly ready: Readonly<Record<string, unknown>>;
  onOrder?(order: Record<string, unknown>): void;
  close(): Promise<void>;
}

/** Says something to the parent that started this process with an IPC channel, while it is there to hear it. */
export function tellParent(said: Readonly<Record<string, unknown>>): void {
  // Without the callback a parent that has just died would be an error event of this process, which ends it in mid-close.
  if (process.connected) process.send?.(said, undefined, undefined, () => undefined);
}

/**
 * Starts the part, says `{ready: true, …}` and resolves when the process was asked to end and the part is closed.
 * A second signal ends the process at once. SIGINT is left to a parent that started it with an IPC channel.
 */
export async function runPart(start: (signal: AbortSignal) => Promise<Part>): Promise<void> {
  const stop = new AbortController();
  let asked = 0;
  const ask = () => {
    asked += 1;
    if (asked > 1) process.exit(130);
    stop.abort();
  };
  // A Ctrl-C on the terminal reaches the parent too, which then ends its parts in their order: taken here as well, the
  // parent's SIGTERM would look like a second, impatient one and cut the end short.
  process.on('SIGINT', () => {
    if (!process.connected) ask();
  });
  process.on('SIGTERM', ask);
  // A task of its own that fails for good must end the part, but in order: left to Node, its children would be left too.
  process.on('unhandledRejection', (error) => {
    console.error(error);
    process.exitCode = 1;
    if (asked === 0) ask();
  });
  // A parent that was killed can not send a signal: its channel closes instead.
  process.once('disconnect', ask);
  // One that died while this process was still loading has been missed by the line above.
  if (process.send !== undefined && !process.connected) ask();
  let part: Part;
  try {
    part = await start(stop.signal);
  } catch (error) {
    // The listener holds the channel open, and with it a process that has failed.
    process.off('disconnect', ask);
    throw error;
  }
  process.on('message', (order) => part.onOrder?.(order as Record<string, unknown>));
  tellParent({ ready: true, ...part.ready });
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    else stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await part.close();
  process.off('disconnect', ask);
  if (process.connected) process.disconnect();
}
