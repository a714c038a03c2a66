/** Start of the `evalroom` command on Node 24; scripts/evalroom.mjs hands over to it. */
import { runCli } from './program.ts';

process.exitCode = await runCli(process.argv.slice(2));
