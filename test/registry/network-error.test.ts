import { describe, expect, test } from 'vitest';
import { ToolError } from '../../src/errors.ts';
import type { NetworkContext } from '../../src/registry/network-error.ts';
import { networkError } from '../../src/registry/network-error.ts';

const CONTEXT: NetworkContext = { action: 'pull "x"', host: 'a.example', answering: false, known: false };

function fail(code: string, message = ''): Error {
  return Object.assign(new Error(message), { code });
}

const OURS = 'did not take us without a certificate of our own, or not with the one we have';

describe('networkError()', () => {
  test.each([
    ['ENOTFOUND', 'name', 'never', 'cannot be found: no such host'],
    ['EAI_AGAIN', 'name', 'later', 'cannot be found: the name service does not answer'],
    ['ECONNREFUSED', 'refused', 'never', 'cannot be reached: connection refused'],
    ['EHOSTUNREACH', 'refused', 'never', 'cannot be reached: no route to host'],
    ['ETIMEDOUT', 'timeout', 'later', 'cannot be reached: no connection in time'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', 'later', 'cannot be reached: no connection in time'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'later', 'sent no answer in time'],
    ['UND_ERR_SOCKET', 'broken', 'at once', 'broke the connection off'],
    ['ECONNRESET', 'broken', 'at once', 'broke the connection off'],
    ['HPE_INVALID_CONSTANT', 'protocol', 'never', 'did not answer in HTTP/1.1'],
    ['UND_ERR_HEADERS_OVERFLOW', 'protocol', 'never', 'sent an answer with too large a head'],
    ['CERT_HAS_EXPIRED', 'certificate', 'never', 'has a certificate that is not accepted'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate', 'never', 'has a certificate that is not accepted'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate', 'never', 'has a certificate that is not accepted'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate', 'never', OURS],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate', 'never', OURS],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'tls', 'never', 'did not agree on TLS'],
    ['EPROTO', 'tls', 'never', 'did not agree on TLS'],
    ['UND_ERR_DESTROYED', 'broken', 'never', 'is not asked any more: the client was closed'],
    ['SOMETHING_NEW', 'broken', 'at once', 'broke the connection off'],
  ])('R57 R60 %s is %s, to be retried %s', (code, problem, retry, text) => {
    const error = networkError(fail(code), CONTEXT);
    expect(error).toMatchObject({ code: 'ERR_NETWORK', problem, advice: { retry } });
    expect(error.message).toBe(`Cannot pull "x": a.example ${text}`);
  });

  test('tries a host again that has answered before', () => {
    for (const code of ['ENOTFOUND', 'ECONNREFUSED']) {
      expect(networkError(fail(code), { ...CONTEXT, known: true })).toMatchObject({ advice: { retry: 'later' } });
    }
  });

  test('tries again whatever breaks an answer that has begun', () => {
    for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'HPE_INVALID_CHUNK_SIZE', 'UND_ERR_BODY_TIMEOUT']) {
      expect(networkError(fail(code), { ...CONTEXT, answering: true })).toMatchObject({ advice: { retry: 'later' } });
    }
  });

  test('looks into the errors of several addresses', () => {
    const error = networkError(new AggregateError([fail('ECONNREFUSED'), fail('ENETUNREACH')]), CONTEXT);
    expect(error).toMatchObject({ problem: 'refused' });
  });

  test("takes OpenSSL's reason, and cleans what a server wrote", () => {
    const openssl = 'C0:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/x.c:355:\n';
    expect(networkError(fail('EPROTO', openssl), CONTEXT).message).toContain('(wrong version number)');
    expect(networkError(fail('HPE_X', 'bad \x1b[31m\u202e'), CONTEXT).message).toContain('(bad \\x1b[31m\\u202e)');
  });

  test('passes errors of ours through', () => {
    const error = new ToolError('ERR_HOST', 'Cannot read "x"');
    expect(networkError(error, CONTEXT)).toBe(error);
  });
});
