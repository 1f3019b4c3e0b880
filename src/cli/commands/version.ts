import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { stringFlag } from '../flags.ts';
import { formatRows } from '../format-rows.ts';
import { makeStruct } from '../go-template/value.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { readVersion } from '../version.ts';

const DEFAULT_FORMAT = `Client:
 Version:  {{.Client.Version}}
 Node.js:  {{.Client.NodeVersion}}
 OS/Arch:  {{.Client.Os}}/{{.Client.Arch}}`;

export const versionCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'Show the version information',
    paths: ['version'],
    flags: { format: stringFlag({ short: 'f', about: "Format output using 'json' or a Go template" }) },
    takes: [0, 0],
  },
  async ({ flags: { format = DEFAULT_FORMAT } }, { stdout }) => {
    const { os, architecture } = hostPlatform(process.arch);
    const version = { Version: readVersion(), NodeVersion: process.version, Os: os, Arch: architecture };
    // There is no daemon: whoever asks for the server's version means the engine's, and that is the same.
    const row = makeStruct('version', { Client: () => version, Server: () => version });
    stdout.write(formatRows({ format, rows: [row], titles: {} }));
    return 0;
  },
);
