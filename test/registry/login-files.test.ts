import { describe, expect, test } from 'vitest';
import { loginFilesFromEnvironment } from '../../src/registry/login-files.ts';

const USER = { home: '/home/u', uid: 1000 };

describe('loginFilesFromEnvironment()', () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      'nothing is set',
      { REGISTRY_AUTH_FILE: '', DOCKER_CONFIG: '', XDG_RUNTIME_DIR: '', XDG_CONFIG_HOME: '' },
      ['/run/containers/1000/auth.json', '/home/u/.config/containers/auth.json', '/home/u/.docker/config.json'],
    ],
    [
      'the folders are set',
      { XDG_RUNTIME_DIR: '/run/user/1000', XDG_CONFIG_HOME: '/c', DOCKER_CONFIG: '/d' },
      ['/run/user/1000/containers/auth.json', '/c/containers/auth.json', '/d/config.json'],
    ],
    [
      'folders of XDG are relative',
      { XDG_RUNTIME_DIR: 'r', XDG_CONFIG_HOME: './c' },
      ['/run/containers/1000/auth.json', '/home/u/.config/containers/auth.json', '/home/u/.docker/config.json'],
    ],
    ['one file is named', { REGISTRY_AUTH_FILE: '/a.json', DOCKER_CONFIG: '/d' }, ['/a.json']],
  ])('where %s', (_name, env, expected) => {
    expect(loginFilesFromEnvironment(env, USER)).toEqual(expected);
  });
});
