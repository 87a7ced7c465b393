/** Entry point of the Node stand-in for the gcc shim; argv[1] is the name that the user called. */
import { ENVIRONMENT_TABLE } from '../compiler/index.ts';
import { runStandIn } from './stand-in.ts';

const [, self = '', ...args] = process.argv;
const variables = ENVIRONMENT_TABLE.filter((row) => row.effect !== 'ignored').map((row) => row.name);
const end = await runStandIn(self, args, process.env, variables);
if (end.signal) process.kill(process.pid, end.signal);
process.exit(end.status);
