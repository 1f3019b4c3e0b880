import { describe, expect, test } from 'vitest';
import { OWN_HOST } from '../../src/registry/host-entry.ts';
import { parseHostsFile } from '../../src/registry/hosts-file.ts';

const FILE = '/etc/certs.d/registry.example/hosts.toml';

/** Origin and API root of each host. */
async function addresses(text: string): Promise<string[]> {
  const hosts = await parseHostsFile(text, FILE);
  return hosts.map(({ origin, apiRoot }) => `${origin?.origin ?? 'own'} ${apiRoot}`);
}

describe('parseHostsFile()', () => {
  test('takes the hosts in the order of the file, the server last', async () => {
    const text = `
      server = "https://registry.example"
      [host."http://zebra.example:5000"]
      [host."https://ant.example"]
      [host.middle]`;
    expect(await addresses(text)).toEqual([
      'http://zebra.example:5000 /v2',
      'https://ant.example /v2',
      'https://middle /v2',
      'https://registry.example /v2',
    ]);
  });

  test.each([
    ['', 'own /v2'],
    ['server = ""', 'own /v2'],
    ['override_path = true', 'own /v2'],
    ['server = "registry.example"', 'https://registry.example /v2'],
    ['server = "httpbin.example:80"', 'https://httpbin.example:80 /v2'],
    ['server = "https://docker.io"', 'https://registry-1.docker.io /v2'],
    ['server = "https://a.example/v2"', 'https://a.example /v2'],
    ['server = "https://a.example/v2/"', 'https://a.example /v2'],
    ['server = "https://a.example/hub//"', 'https://a.example /hub/v2'],
    ['server = "https://a.example/hub"\noverride_path = true', 'https://a.example /hub'],
    ['server = "https://a.example/hub/v2/x/"\noverride_path = true', 'https://a.example /hub/v2/x'],
    ['server = "https://a.example"\noverride_path = true', 'https://a.example '],
  ])('reads the server of %j as %s', async (text, expected) => {
    expect(await addresses(text)).toEqual([expected]);
  });

  test('reads all that is said of a host, paths relative to the file', async () => {
    const [host, server] = await parseHostsFile(
      `
      ca = "own.pem"
      [host."https://mirror.example"]
      capabilities = ["Pull", "resolve"]
      ca = ["one.pem", "/two.pem"]
      client = [["a.cert", "a.key"], ["b.pem", ""], "c.pem"]
      skip_verify = true
      dial_timeout = "1m1.5s"
      proxy = "http://proxy.example:3128"
      something_new = [1, 2]
      [host."https://mirror.example".header]
      X-One = "1"
      X-Two = ["2", "3"]`,
      FILE,
    );
    const folder = '/etc/certs.d/registry.example';
    expect(host).toEqual({
      origin: new URL('https://mirror.example'),
      apiRoot: '/v2',
      capabilities: new Set(['pull', 'resolve']),
      certificates: {
        ca: [`${folder}/one.pem`, '/two.pem'],
        client: [
          { certificate: `${folder}/a.cert`, key: `${folder}/a.key` },
          { certificate: `${folder}/b.pem`, key: `${folder}/b.pem` },
          { certificate: `${folder}/c.pem`, key: `${folder}/c.pem` },
        ],
      },
      skipVerify: true,
      headers: { 'x-one': '1', 'x-two': '2, 3' },
      connectMs: 61_500,
      proxy: 'http://proxy.example:3128',
    });
    expect(server).toEqual({ ...OWN_HOST, certificates: { ca: [`${folder}/own.pem`], client: [] } });
  });

  const MIRROR = '[host."https://m"]\n';
  test.each([
    ['server = 1', 'server is 1, a string was wanted'],
    ['server = "ftp://a"', 'server is not an http:// or https:// URL'],
    ['server = "https://user:secret@a"', 'server is not an http:// or https:// URL without user name'],
    ['server = "https://a?ns=b"', 'server is not an http:// or https:// URL without user name, query'],
    ['server = "https://a b"', 'server is not an http:// or https:// URL'],
    ['[host."https://user:secret@a"]', 'host."https://a" is not an http:// or https:// URL without user name'],
    [`${MIRROR}header = { a = ["secret", 1] }`, 'host."https://m".header.a is not a text, or a list of texts'],
    ['host = "https://m"', 'host is "https://m", a table was wanted'],
    ['[host]\n"https://m" = 1', 'host."https://m" is 1, a table was wanted'],
    ['[[host]]', 'host is [{}], a table was wanted'],
    [`${MIRROR}capabilities = "pull"`, 'host."https://m".capabilities is "pull", a list of strings was wanted'],
    [
      `${MIRROR}capabilities = ["fly"]`,
      'host."https://m".capabilities is "fly", one of pull, resolve, push was wanted',
    ],
    [`${MIRROR}ca = 5`, 'host."https://m".ca is 5, a list of strings was wanted'],
    [`${MIRROR}ca = [["a"]]`, 'host."https://m".ca is [["a"]], a list of strings was wanted'],
    [`${MIRROR}client = true`, 'host."https://m".client is true, a path or a pair of paths was wanted'],
    [`${MIRROR}client = [["a"], [1, "b"]]`, 'host."https://m".client is [1,"b"], a path or a pair of paths was wanted'],
    [`${MIRROR}client = [["a", "b", "c"]]`, 'host."https://m".client is ["a","b","c"], a path or a pair of paths'],
    [`${MIRROR}skip_verify = "true"`, 'host."https://m".skip_verify is "true", true or false was wanted'],
    [`${MIRROR}override_path = 1`, 'host."https://m".override_path is 1, true or false was wanted'],
    [`${MIRROR}dial_timeout = 5`, 'host."https://m".dial_timeout is 5, a string was wanted'],
    [`${MIRROR}dial_timeout = "5"`, 'host."https://m".dial_timeout is "5", a duration such as "5s"'],
    [`${MIRROR}dial_timeout = "0s"`, 'host."https://m".dial_timeout is "0s", a duration such as "5s"'],
    [`${MIRROR}header = "a"`, 'host."https://m".header is "a", a table was wanted'],
    [`${MIRROR}header = { a = 1 }`, 'host."https://m".header.a is not a text, or a list of texts'],
    [`${MIRROR}header = { "a:b" = "c" }`, 'host."https://m".header.a:b is "a:b", the name of a header that may be set'],
    [`${MIRROR}header = { Range = "bytes=0-" }`, 'header.Range is "Range", the name of a header that may be set'],
    [
      `${MIRROR}header = { a = "b\\r\\nc: d" }`,
      'host."https://m".header.a is not a text, or a list of texts, in printable ASCII',
    ],
    [`${MIRROR}proxy = "socks5://a"`, 'Cannot use proxy "socks5://a": an http:// or https:// URL was wanted, in host'],
    ['server = "\\u001b[31m"', 'server is not an http:// or https:// URL'],
    ['server = ', 'Invalid TOML document'],
  ])('names file and key in %j', async (text, problem) => {
    const error: unknown = await parseHostsFile(text, FILE).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_HOST', message: expect.stringContaining(problem) as string });
    expect((error as Error).message).toContain(`"${FILE}"`);
    expect((error as Error).message).not.toMatch(/secret|[^ -~]/);
  });
});
