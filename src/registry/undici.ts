/**
 * The parts of undici that a registry client is made of. Its index loads three times as many files (fetch, WebSocket, caches, mocks),
 * which is a quarter of the time that a pull takes when there is nothing to download. The paths are no part of undici's documented
 * interface: the version is pinned, and a test compares each part with what the index exports.
 */
import type * as Index from 'undici';
import api from 'undici/lib/api/index.js';
import connect from 'undici/lib/core/connect.js';
import allErrors from 'undici/lib/core/errors.js';
import AgentPart from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import PoolPart from 'undici/lib/dispatcher/pool.js';
import ProxyAgentPart from 'undici/lib/dispatcher/proxy-agent.js';

Object.assign(Dispatcher.prototype, api); // as the index does: `request` and the like for all dispatchers

export const Agent: typeof Index.Agent = AgentPart;
export const Pool: typeof Index.Pool = PoolPart;
export const ProxyAgent: typeof Index.ProxyAgent = ProxyAgentPart;
export const buildConnector: typeof Index.buildConnector = connect;
export const errors: typeof Index.errors = allErrors;
