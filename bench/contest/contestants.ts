/** Every contestant, in the order of the tables. */
import { floor, local } from './alone.ts';
import { ccache, sccache } from './caches.ts';
import type { Contestant } from './contestant.ts';
import { distcc, distccLzo, pump } from './distcc.ts';
import { icecream, icecreamRemoteCpp } from './icecream.ts';
import { meshcc } from './meshcc.ts';

export const CONTESTANTS: ReadonlyMap<string, Contestant> = new Map(
  [local, floor, distcc, distccLzo, pump, icecream, icecreamRemoteCpp, ccache, sccache, meshcc].map(
    (contestant) => [contestant.name, contestant],
  ),
);
