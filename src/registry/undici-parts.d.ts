// undici types its index only: see undici.ts.

declare module 'undici/lib/api/index.js' {
  import type { Dispatcher } from 'undici';

  const api: Pick<Dispatcher, 'connect' | 'pipeline' | 'request' | 'stream' | 'upgrade'>;
  export default api;
}

declare module 'undici/lib/core/connect.js' {
  import type { buildConnector } from 'undici';

  const part: typeof buildConnector;
  export default part;
}

declare module 'undici/lib/core/errors.js' {
  import type { errors } from 'undici';

  const part: typeof errors;
  export default part;
}

declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent } from 'undici';

  const part: typeof Agent;
  export default part;
}

declare module 'undici/lib/dispatcher/dispatcher.js' {
  import type { Dispatcher } from 'undici';

  const part: typeof Dispatcher;
  export default part;
}

declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool } from 'undici';

  const part: typeof Pool;
  export default part;
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  import type { ProxyAgent } from 'undici';

  const part: typeof ProxyAgent;
  export default part;
}
