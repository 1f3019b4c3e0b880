import { arrayField, asObject, field, objectField, showValue, stringField, stringsField } from '../../oci/fields.ts';
import type { JsonObject } from '../../oci/fields.ts';
import { malformed, parseJson } from '../../oci/json.ts';
import type {
  Action,
  ArgumentCondition,
  Comparison,
  ProfileRule,
  RuleScope,
  SeccompProfile,
} from './seccomp-profile.ts';

/**
 * Reads a profile in docker's JSON form. `what` names it in errors.
 * Throws ERR_MANIFEST for what is no such profile, or asks for what is not there: SCMP_ACT_NOTIFY, flags, a listener.
 */
export function parseSeccompProfile(bytes: Uint8Array, what: string): SeccompProfile {
  const document = asObject(parseJson(bytes, what), what);
  const action = stringField(document, 'defaultAction', what);
  return {
    defaultAction: parseAction(action, integer(document, 'defaultErrnoRet', what), what),
    architectures: parseArchitectures(document, what),
    rules: objectsOf(document, 'syscalls', what).map((rule, index) => parseRule(rule, `${what} syscalls[${index}]`)),
  };
}

function parseArchitectures(document: JsonObject, what: string): SeccompProfile['architectures'] {
  const plain = stringsField(document, 'architectures', what) ?? [];
  const mapped = objectsOf(document, 'archMap', what).map((entry) => ({
    name: stringField(entry, 'architecture', what) ?? '',
    subArchitectures: stringsField(entry, 'subArchitectures', what) ?? [],
  }));
  return [...plain.map((name) => ({ name, subArchitectures: [] })), ...mapped];
}

function parseRule(rule: JsonObject, what: string): ProfileRule {
  const name = stringField(rule, 'name', what); // of docker before 17.x
  const names = [...(name === undefined || name === '' ? [] : [name]), ...(stringsField(rule, 'names', what) ?? [])];
  return {
    names,
    action: parseAction(stringField(rule, 'action', what), integer(rule, 'errnoRet', what), what),
    conditions: objectsOf(rule, 'args', what).map((condition) => parseCondition(condition, what)),
    includes: parseScope(rule, 'includes', what),
    excludes: parseScope(rule, 'excludes', what),
  };
}

function parseScope(rule: JsonObject, key: string, what: string): RuleScope {
  const scope = objectField(rule, key, what) ?? {};
  return {
    capabilities: stringsField(scope, 'caps', what) ?? [],
    architectures: stringsField(scope, 'arches', what) ?? [],
    minKernel: stringField(scope, 'minKernel', what),
  };
}

const PLAIN_ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['SCMP_ACT_ALLOW', { kind: 'allow' }],
  ['SCMP_ACT_LOG', { kind: 'log' }],
  ['SCMP_ACT_KILL', { kind: 'kill-thread' }],
  ['SCMP_ACT_KILL_THREAD', { kind: 'kill-thread' }],
  ['SCMP_ACT_KILL_PROCESS', { kind: 'kill-process' }],
]);
const NUMBERED_ACTIONS: ReadonlyMap<string, 'errno' | 'trap' | 'trace'> = new Map([
  ['SCMP_ACT_ERRNO', 'errno'],
  ['SCMP_ACT_TRAP', 'trap'],
  ['SCMP_ACT_TRACE', 'trace'],
]);
const EPERM = 1;

function parseAction(name: string | undefined, value: number | undefined, what: string): Action {
  const plain = PLAIN_ACTIONS.get(name ?? '');
  if (plain !== undefined) return plain;
  const kind = NUMBERED_ACTIONS.get(name ?? '');
  if (kind === undefined) throw malformed(what, `its action is ${showValue(name)}, which is not known`);
  if (value !== undefined && value > 0xffff)
    throw malformed(what, `errnoRet is ${value}, and a number of 16 bits was wanted`);
  return { kind, value: value ?? EPERM };
}

const COMPARISONS: ReadonlyMap<string, Comparison> = new Map([
  ['SCMP_CMP_EQ', 'equal'],
  ['SCMP_CMP_NE', 'not-equal'],
  ['SCMP_CMP_LT', 'less'],
  ['SCMP_CMP_LE', 'less-or-equal'],
  ['SCMP_CMP_GT', 'greater'],
  ['SCMP_CMP_GE', 'greater-or-equal'],
  ['SCMP_CMP_MASKED_EQ', 'equal-masked'],
]);
const LAST_ARGUMENT = 5;

function parseCondition(condition: JsonObject, what: string): ArgumentCondition {
  const index = integer(condition, 'index', what) ?? 0;
  if (index > LAST_ARGUMENT) throw malformed(what, `it has a condition on argument ${index}, and a call has six`);
  const operator = stringField(condition, 'op', what);
  const comparison = COMPARISONS.get(operator ?? '');
  if (comparison === undefined) throw malformed(what, `its comparison is ${showValue(operator)}, which is not known`);
  const value = BigInt(integer(condition, 'value', what) ?? 0);
  if (comparison !== 'equal-masked') return { index, comparison, value };
  return { index, comparison, mask: value, value: BigInt(integer(condition, 'valueTwo', what) ?? 0) };
}

function objectsOf(object: JsonObject, key: string, what: string): JsonObject[] {
  return (arrayField(object, key, what) ?? []).map((value, index) => asObject(value, `${what} ${key}[${index}]`));
}

/** Whole and not negative; JSON.parse would round larger ones. */
function integer(object: JsonObject, key: string, what: string): number | undefined {
  const value = field(object, key);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(what, `${key} is ${showValue(value)}, a whole number was wanted`);
}
