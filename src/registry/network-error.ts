import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { FORBIDDEN_ADDRESS } from './guard-lookup.ts';
import type { NetworkProblem, RetryAdvice } from './retry.ts';
import { NetworkError } from './retry.ts';
import { TOO_SLOW } from './watch-rate.ts';

/** The codes of OpenSSL and Node for a certificate that is not accepted. */
const CERTIFICATE =
  /^(CERT_|ERR_TLS_CERT|UND_ERR_PRX_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH)/;

/** `code` of the error for a proxy that hangs up where it should say whether it lets us through. */
export const PROXY_CLOSED = 'ERR_PROXY_CLOSED';

/** What a server says, in OpenSSL's words, that wants to know its clients. */
export const WANTS_CERTIFICATE: RegExp =
  /^ERR_SSL_\w+_ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN))$/;

const NEVER: RetryAdvice = { retry: 'never' };
const LATER: RetryAdvice = { retry: 'later' };
const AT_ONCE: RetryAdvice = { retry: 'at once' };

/** OpenSSL's `…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:…`: the reason is the fourth part. */
const OPENSSL_REASON = /\berror:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/;

export interface NetworkContext {
  /** `pull "alpine:latest"` */
  action: string;
  /** host:port that was asked. */
  host: string;
  /** Whether the head of an answer had come: then the server is there, and what broke is only this answer. */
  answering: boolean;
  /** Whether this host has answered before: one that never did is more likely a wrong address than a busy server. */
  known: boolean;
}

interface Finding {
  problem: NetworkProblem;
  /** After the host: `… broke the connection off`. */
  text: string;
  advice: RetryAdvice;
  hint?: string;
}

const CLOSED: Finding = { problem: 'broken', text: 'is not asked any more: the client was closed', advice: NEVER };

/** What `cause`, thrown by undici or the system, means for the request. ToolErrors pass through. */
export function networkError(cause: unknown, context: NetworkContext): ToolError {
  if (cause instanceof ToolError) return cause;
  const finding = context.answering ? duringAnswer(cause) : beforeAnswer(cause, context);
  const { problem, advice, hint } = finding;
  return new NetworkError(
    `Cannot ${context.action}: ${printable(context.host)} ${finding.text}`,
    { problem, advice },
    hint === undefined ? { cause } : { cause, hint },
  );
}

function duringAnswer(cause: unknown): Finding {
  switch (codeOf(cause)) {
    case 'UND_ERR_DESTROYED':
      return CLOSED;
    case 'UND_ERR_BODY_TIMEOUT':
      return { problem: 'timeout', text: 'stopped sending', advice: LATER };
    case TOO_SLOW:
      return { problem: 'timeout', text: `sends too slowly${parenthesis(cause)}`, advice: LATER };
    default:
      return { problem: 'broken', text: `broke off its answer${parenthesis(cause)}`, advice: LATER };
  }
}

function beforeAnswer(cause: unknown, { known }: NetworkContext): Finding {
  return (
    connectFinding(cause, known ? LATER : NEVER) ??
    tlsFinding(cause) ??
    proxyFinding(cause) ??
    httpFinding(cause, known ? AT_ONCE : NEVER)
  );
}

function httpFinding(cause: unknown, whenGarbled: RetryAdvice): Finding {
  const code = codeOf(cause);
  if (code.startsWith('HPE_')) {
    return { problem: 'protocol', text: `did not answer in HTTP/1.1${parenthesis(cause)}`, advice: whenGarbled };
  }
  switch (code) {
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return CLOSED;
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { problem: 'timeout', text: 'sent no answer in time', advice: LATER };
    case 'UND_ERR_HEADERS_OVERFLOW':
      return { problem: 'protocol', text: 'sent an answer with too large a head', advice: NEVER };
    default:
      return { problem: 'broken', text: `broke the connection off${parenthesis(cause)}`, advice: AT_ONCE };
  }
}

function connectFinding(cause: unknown, whenRefused: RetryAdvice): Finding | undefined {
  switch (codeOf(cause)) {
    case 'ENOTFOUND':
      return { problem: 'name', text: 'cannot be found: no such host', advice: whenRefused };
    case 'EAI_AGAIN':
      return { problem: 'name', text: 'cannot be found: the name service does not answer', advice: LATER };
    case 'ECONNREFUSED':
      return { problem: 'refused', text: 'cannot be reached: connection refused', advice: whenRefused };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { problem: 'refused', text: 'cannot be reached: no route to host', advice: whenRefused };
    case FORBIDDEN_ADDRESS:
      return {
        problem: 'forbidden',
        text: 'is not asked: the registry refers to it, and it lies on a private network or this machine',
        advice: NEVER,
      };
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return { problem: 'timeout', text: 'cannot be reached: no connection in time', advice: LATER };
    default:
      return undefined;
  }
}

function tlsFinding(cause: unknown): Finding | undefined {
  const code = codeOf(cause);
  if (CERTIFICATE.test(code)) {
    return {
      problem: 'certificate',
      text: `has a certificate that is not accepted${parenthesis(cause)}`,
      advice: NEVER,
      hint: "If the registry's authority is your own, name its certificate with SSL_CERT_FILE.",
    };
  }
  if (WANTS_CERTIFICATE.test(code)) {
    return {
      problem: 'certificate',
      text: `did not take us without a certificate of our own, or not with the one we have${parenthesis(cause)}`,
      advice: NEVER,
      hint: 'It can be given as NAME.cert and NAME.key in a folder for this host in ~/.config/mydocker/certs.d.',
    };
  }
  const isHandshakeCut = cause instanceof Error && cause.message.includes('before secure TLS connection');
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_') && !isHandshakeCut) return undefined;
  return {
    problem: 'tls',
    text: `did not agree on TLS${isHandshakeCut ? '' : parenthesis(cause)}`,
    advice: isHandshakeCut ? LATER : NEVER,
    hint: 'A registry without TLS has to be allowed by name with --insecure-registry.',
  };
}

function proxyFinding(cause: unknown): Finding | undefined {
  const status =
    cause instanceof Error ? /^Proxy (?:response|Authentication).*\((\d{3})\)/.exec(cause.message)?.[1] : undefined;
  if (status === undefined && codeOf(cause) !== PROXY_CLOSED) return undefined;
  return {
    problem: 'proxy',
    text: `cannot be reached: the proxy ${status === undefined ? 'closed the connection' : `answered ${status}`}`,
    advice: status === undefined || status.startsWith('5') ? LATER : NEVER,
    hint: 'HTTP_PROXY, HTTPS_PROXY and NO_PROXY say which proxy is used.',
  };
}

/** The code of an error, or of the first one inside an AggregateError (one per address that was tried). */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error.name === 'HTTPParserError') return 'HPE_'; // undici 7.30 loses which of llhttp's codes it was
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
}

/** The reason in the words of the library below, which are in part the server's. */
function parenthesis(cause: unknown): string {
  const whole = cause instanceof Error ? cause.message.replace(/\s+/g, ' ').trim() : '';
  const message = OPENSSL_REASON.exec(whole)?.[1] ?? whole;
  return message === '' ? '' : ` (${printable(message)})`;
}
