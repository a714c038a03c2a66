#!/usr/bin/env node
// The `evalroom` command as any Node from 20 on can start it: hands over to the pinned Node 24 and passes everything through.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findNode, pinnedNode } from './setup/node24.mjs';

const CLI = fileURLToPath(new URL('./cli.ts', import.meta.url));

// The agent's collector works on small heaps of several threads: its helper threads cost more than they save. And what
// lives little is given little room: V8 would let that grow for hours, by 120 MB, and gain nothing by it.
const FLAGS = process.argv[2] === 'agent' ? ['--single-threaded-gc', '--max-semi-space-size=8'] : [];

function handOver(node) {
  const child = spawn(node, [...FLAGS, CLI, ...process.argv.slice(2)], { stdio: 'inherit' });
  // On a terminal Ctrl-C reaches the child by itself: passing it on as well would look like a second, impatient one.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm ends its shell on SIGTERM but not what the shell started; nobody would be left to end us.
  const parent = process.ppid;
  const orphanWatch = process.env.npm_lifecycle_event
    ? setInterval(() => {
        if (process.ppid !== parent) child.kill('SIGTERM');
      }, 500)
    : undefined;
  child.on('error', (error) => {
    console.error(`evalroom: ${node} could not be started (${error.message}). Run: node scripts/setup.mjs check`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    clearInterval(orphanWatch);
    if (signal) {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
      process.kill(process.pid, signal);
    } else process.exitCode = code ?? 1;
  });
}

const node = findNode();
if (node === undefined) {
  console.error(`evalroom: ${pinnedNode()} is not there yet. Run this once: node scripts/setup.mjs start`);
  process.exitCode = 1;
} else if (node === process.execPath && FLAGS.length === 0) await import('./cli.ts');
else handOver(node);
