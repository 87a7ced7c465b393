/** Loaded into an agent before its own code (`node --import`): from then on its compiles have a wrong bit. */
import type { FromWorker } from '../../../src/mesh/index.ts';
import { Outbound } from '../../../src/mesh/transport/outbound.ts';
import { wrongObject } from '../../support/wrong-object.ts';

const send = Outbound.prototype.send;
Outbound.prototype.send = function (this: Outbound<unknown>, message: unknown): void {
  send.call(this, wrongObject(message as FromWorker));
};
