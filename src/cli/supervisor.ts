import { Socket } from 'node:net';
import { openConnection } from '../container/session/connection.ts';
import { createSignalRelay } from '../container/session/signal-relay.ts';
import { superviseContainer } from '../container/session/supervise-container.ts';
import { OWNER } from '../container/start-supervisor.ts';

// The entry point of the process that looks after a container from which its caller may detach. It has no standard streams: what goes
// wrong is told over the connection.

const relay = createSignalRelay();
for (const name of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(name, relay.send);

void superviseContainer(openConnection(new Socket({ fd: OWNER })), relay).then(() => process.exit());
