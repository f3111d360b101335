/** No request of the API: what the service tells by itself. */
import type { WatchMethod } from '../method.ts';

export const watchRuns: WatchMethod = {
  id: 'watchRuns',
  reference: '',
  group: 'runs',
  answers: 'watch',
  delivers: false,
  repeatable: true,
  parameters: {},
};
