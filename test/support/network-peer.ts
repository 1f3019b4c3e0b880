// One end of a connection, in whatever network it is started; host-network.ts hands it to Node as text.
//   serve tcp|udp ADDRESS PORT   says "ready PORT", answers each message with the same, says "heard MESSAGE from ADDRESS"
//   ask tcp|udp ADDRESS PORT MESSAGE   says the answer, or the name of the error
//   fetch ADDRESS:PORT           says the page that is there, or the name of the error
//   abstract NAME                serves an abstract Unix socket
//   names ADDRESS                serves as a name server that knows every name, as 192.0.2.77
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { connect, createServer, isIPv6 } from 'node:net';
import type { AddressInfo } from 'node:net';

const [mode, first = '', second = '', third = '', fourth = ''] = process.argv.slice(1);
if (mode === 'serve') serve(first, second, Number(third));
else if (mode === 'ask') ask([first, second, Number(third)], fourth);
else if (mode === 'fetch') fetchPage(first);
else if (mode === 'names') names(first);
else if (mode === 'abstract') createServer().listen(`\0${first}`, () => console.log('ready 0'));

function serve(protocol: string, address: string, port: number): void {
  const heard = (message: Buffer, from: string): void => {
    console.log(`heard ${message.toString()} from ${from.replace(/^::ffff:/, '')}`);
  };
  if (protocol === 'tcp') {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (message) => {
        heard(message, socket.remoteAddress ?? '');
        socket.end(message);
      });
    });
    server.listen(port, address, () => console.log(`ready ${(server.address() as AddressInfo).port}`));
    return;
  }
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4', (message, from) => {
    heard(message, from.address);
    socket.send(message, from.port, from.address);
  });
  socket.bind(port, address, () => console.log(`ready ${socket.address().port}`));
}

function ask([protocol, address, port]: [string, string, number], message: string): void {
  if (protocol === 'tcp') {
    const socket = connect(port, address, () => socket.write(message));
    socket.on('error', fail);
    socket.on('data', (answer) => {
      console.log(answer.toString());
      socket.destroy();
    });
    return;
  }
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('error', fail);
  socket.connect(port, address, () => socket.send(message));
  socket.once('message', (answer) => {
    console.log(answer.toString());
    socket.close();
  });
}

function fetchPage(url: string): void {
  const request = get(`http://${url}/`, (response) => {
    response.setEncoding('utf8').on('data', (text: string) => console.log(text.trim()));
  });
  request.on('error', fail);
}

function fail(error: NodeJS.ErrnoException): void {
  console.log(error.code);
  process.exit(1);
}

function names(address: string): void {
  const socket = createSocket('udp4', (query, from) => {
    const end = query.indexOf(0, 12) + 5; // of the question: name, type, class
    const isIpv4 = query.readUInt16BE(end - 4) === 1;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2); // an answer, without an error
    header.writeUInt16BE(isIpv4 ? 1 : 0, 6);
    header.writeUInt32BE(0, 8);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77]);
    const parts = [header, query.subarray(12, end), ...(isIpv4 ? [record] : [])];
    socket.send(Buffer.concat(parts), from.port, from.address);
  });
  socket.bind(53, address, () => console.log('ready 53'));
}
