export type Protocol = 'tcp' | 'udp';

/** A range of ports, both ends included; 1 to 65535. */
export interface PortRange {
  first: number;
  last: number;
}

/** What `-p` asks for, for one port of the container. */
export interface PortRequest {
  protocol: Protocol;
  /** The host's, in the kernel's spelling; '' for all of them, of both families. */
  address: string;
  /** Any free port of these; undefined for any free port at all. */
  hostPorts: PortRange | undefined;
  containerPort: number;
}

/** A port of the container that can be reached at one of the host's. */
export interface PublishedPort {
  protocol: Protocol;
  /** As in PortRequest. */
  address: string;
  hostPort: number;
  containerPort: number;
}

/** A port that the image says it listens on. */
export interface ExposedPort {
  protocol: Protocol | 'sctp';
  containerPort: number;
}
