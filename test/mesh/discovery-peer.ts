/**
 * A process with a discovery of its own, for the tests. Arguments: node id, port, JSON with further options.
 * Writes what it sees as JSON lines; obeys `update {…}` and `stop` on its standard input.
 */
import { createInterface } from 'node:readline';
import { createDiscovery } from '../../src/mesh/discovery/index.ts';

const [nodeId = '', port = '', options = '{}'] = process.argv.slice(2);
const print = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

const discovery = createDiscovery({
  nodeId,
  name: `host.${nodeId.slice(0, 4)}`,
  port: Number(port),
  insecure: false,
  log: {
    warn: (fields, message) => print({ event: 'warning', message, fields }),
    debug: () => {},
  },
  ...JSON.parse(options),
});
discovery.onSighting((sighting) => print({ event: 'sighting', sighting }));
discovery.onExpired((expired) => print({ event: 'expired', nodeId: expired }));
discovery.start();

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  if (line.startsWith('update ')) discovery.update(JSON.parse(line.slice('update '.length)));
  if (line === 'stop') void discovery.stop().then(() => process.exit(0));
});
// The test is gone.
commands.on('close', () => process.exit(0));
