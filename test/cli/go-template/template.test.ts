import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../src/cli/go-template/template-error.ts';
import { compileTemplate } from '../../../src/cli/go-template/template.ts';
import { makeStruct } from '../../../src/cli/go-template/value.ts';
import type { Value } from '../../../src/cli/go-template/value.ts';

/** What the templates below are given; docker was given the same as a container to inspect. */
const DATA: Value = {
  Name: '/web',
  Config: {
    Env: ['A=1', 'B=<two>', 'C=x y'],
    Labels: { 'b-key': '2', 'a.key': '1', zeta: 'é' },
    Image: 'alpine',
  },
  State: { Running: true, ExitCode: 137, Pid: 0 },
  Mounts: [],
};

// Each of these was printed by docker 28.2.2 (Go 1.24).
const PRINTED: Array<[template: string, output: string]> = [
  ['{{ .Name }}x', '/webx'],
  ['a{{- .Name -}} b', 'a/webb'],
  ['a {{- .Name -}} b', 'a/webb'],
  ['{{.Name  -}} b', '/webb'],
  ['a {{- /* c */ -}} b', 'ab'],
  ['a {{/* c */}} b', 'a  b'],
  ['{{/* a\n b */}}x', 'x'],
  ['{{.Name}}}}', '/web}}'],
  ['{{ "}}" }}', '}}'],
  ['{{range .Config.Env}}\n- {{.}}{{end}}', '\n- A=1\n- B=<two>\n- C=x y'],
  ['{{ range .Config.Env -}}\n- {{.}}\n{{ end -}}\nx', '- A=1\n- B=<two>\n- C=x y\nx'],
  ['{{.Config.Env}}', '[A=1 B=<two> C=x y]'],
  ['{{.Config.Labels}}', 'map[a.key:1 b-key:2 zeta:é]'],
  ['{{json .Config.Labels}}', '{"a.key":"1","b-key":"2","zeta":"é"}'],
  ['{{json .Config.Env}}', '["A=1","B=<two>","C=x y"]'],
  ['{{json "<&>"}}', '"<&>"'],
  ['{{json .State.Running}} {{json .State.ExitCode}}', 'true 137'],
  ['{{.Config.Env | json}}', '["A=1","B=<two>","C=x y"]'],
  ['{{index .Config.Env 0}}', 'A=1'],
  ['{{index .Config.Labels "a.key"}}', '1'],
  ['{{index .Config.Labels "nope"}}', ''],
  ['{{(index .Config.Env 0)}}', 'A=1'],
  ['{{(.Config).Image}}', 'alpine'],
  ['{{index .Config.Env 0 | upper}}', 'A=1'],
  ['{{index "abc" 1}}', '98'],
  ['{{len .Config.Env}} {{len .Name}} {{len .Config.Labels}}', '3 4 3'],
  ['{{slice .Config.Env 1}}', '[B=<two> C=x y]'],
  ['{{slice "abcdef" 1 3}}', 'bc'],
  ['{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}', '0=A=1;1=B=<two>;2=C=x y;'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}', 'a.key=1;b-key=2;zeta=é;'],
  ['{{range $i := .Config.Env}}{{$i}} {{end}}', 'A=1 B=<two> C=x y '],
  ['{{range .Mounts}}x{{else}}none{{end}}', 'none'],
  ['{{range .Config.Env}}{{if eq . "B=<two>"}}{{continue}}{{end}}{{.}},{{end}}', 'A=1,C=x y,'],
  ['{{range .Config.Env}}{{if eq . "B=<two>"}}{{break}}{{end}}{{.}},{{end}}', 'A=1,'],
  ['{{range .Config.Env}}{{$.Name}}{{end}}', '/web/web/web'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{if .State.Running}}yes{{else}}no{{end}}', 'yes'],
  ['{{if not .State.Running}}yes{{else}}no{{end}}', 'no'],
  ['{{if eq .State.ExitCode 137}}oom{{else if eq .State.ExitCode 0}}ok{{else}}bad{{end}}', 'oom'],
  ['{{if and .State.Running (gt .State.ExitCode 100)}}x{{end}}', 'x'],
  ['{{or .State.Pid .Name}} {{and .State.Pid .Name}}', '/web 0'],
  ['{{not true}} {{not ""}}', 'false true'],
  ['{{with .Config}}{{.Image}}{{end}}', 'alpine'],
  ['{{with .State.Pid}}a{{else}}b{{end}}', 'b'],
  ['{{with .State.Pid}}a{{else with .Name}}b{{.}}{{end}}', 'b/web'],
  ['{{with $x := .Config.Image}}{{$x}}{{end}}', 'alpine'],
  ['{{$x := .Name}}{{$x}}{{$x = "b"}}{{$x}}', '/webb'],
  ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}} {{$y := 1}}{{if true}}{{$y := 2}}{{end}}{{$y}}', '2 1'],
  ['{{.Name | upper | printf "%s!"}}', '/WEB!'],
  ['{{"a" | printf "%s-%s" "b"}}', 'b-a'],
  [
    '{{printf "%-10s|%5d|%05d|%x|%q|%v|%t|%%" .Name 137 137 "hi" "a\\"b" .Config.Env true}}',
    '/web      |  137|00137|6869|"a\\"b"|[A=1 B=<two> C=x y]|true|%',
  ],
  ['{{printf "%.2f %g %e" 3.14159 2.5 1000.5}}', '3.14 2.5 1.000500e+03'],
  ['{{printf "%6.2f|%08.3f|%+d" 3.14159 3.14159 5}}', '  3.14|0003.142|+5'],
  ['{{printf "%x %X" 255 255}}', 'ff FF'],
  ['{{printf "%d" "x"}} {{printf "%s" 5}}', '%!d(string=x) %!s(int=5)'],
  ['{{printf "%s"}} {{printf "a" 1}}', '%!s(MISSING) a%!(EXTRA int=1)'],
  ['{{printf "%v %v" true nil}}', 'true <nil>'],
  ['{{lower .Name}}{{upper .Name}}', '/web/WEB'],
  ['{{title "hello world-foo it\'s"}}', "Hello World-Foo It'S"],
  ['{{split "a,b,c" ","}} {{json (split "a,b" ",")}}', '[a b c] ["a","b"]'],
  ['{{join .Config.Env ":"}}', 'A=1:B=<two>:C=x y'],
  ['{{truncate "abcdef" 3}} {{truncate "ab" 3}}', 'abc ab'],
  ['{{pad "x" 2 3}}|{{pad "" 2 3}}|', '  x   ||'],
  ['{{print 1 2 "a" 3 4}}', '1 2a3 4'],
  ['{{println 1 "a" 2}}', '1 a 2\n'],
  [
    '{{eq 1 1}} {{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1 2}}',
    'true true true true true true false',
  ],
  ['{{"a\\tb\\u00e9\\x41"}}{{`raw \\n`}}', 'a\tbéAraw \\n'],
  ["{{'a'}} {{1}} {{-5}} {{0x1F}} {{1_000}} {{1.5}} {{1e3}} {{.5}}", '97 1 -5 31 1000 1.5 1000 0.5'],
  ['{{true}} {{false}}', 'true false'],
];

describe('compileTemplate()', () => {
  it.each(PRINTED)('renders %j like docker', (template, output) => {
    expect(compileTemplate(template).render(DATA)).toBe(output);
  });

  it('prints <no value> for a key that a map does not have, as Go does', () => {
    expect(compileTemplate('{{.State.Nope}}').render(DATA)).toBe('<no value>');
  });

  // And these are docker's messages.
  it.each([
    ['{{foo}}', 'template: :1: function "foo" not defined'],
    ['a\n  {{nope}}', 'template: :2: function "nope" not defined'],
    ['{{.Name', 'template: :1: unclosed action'],
    ['{{"abc', 'template: :1: unterminated quoted string'],
    ['{{`abc', 'template: :1: unterminated raw quoted string'],
    ['{{.}}a{{/* unclosed', 'template: :1: unclosed comment'],
    ['{{if}}x{{end}}', 'template: :1: missing value for if'],
    ['{{range}}{{end}}', 'template: :1: missing value for range'],
    ['{{ }}', 'template: :1: missing value for command'],
    ['{{if .Name}}x', 'template: :1: unexpected EOF'],
    ['{{end}}', 'template: :1: unexpected {{end}}'],
    ['{{else}}', 'template: :1: unexpected {{else}}'],
    ['{{if true}}a{{else}}b{{else}}c{{end}}', 'template: :1: expected end; found {{else}}'],
    ['{{.Name | 5}}', 'template: :1: non executable command in pipeline stage 2'],
    ['{{$nope}}', 'template: :1: undefined variable "$nope"'],
    ['{{if true}}{{$y := 1}}{{end}}{{$y}}', 'template: :1: undefined variable "$y"'],
    ['{{$a, $b := .Name}}', 'template: :1: too many declarations in command'],
    ['{{break}}', 'template: :1: {{break}} outside {{range}}'],
  ])('refuses %j with Go’s message', (template, message) => {
    expect(() => compileTemplate(template)).toThrow(new TemplateError(message));
  });

  it.each([
    ['{{define "x"}}{{end}}', '{{define}} is not supported'],
    ['{{template "x"}}', '{{template}} is not supported'],
    ['{{html .Name}}', 'function "html" is not supported'],
    ['{{printf "%U" 5}}', 'printf: "%U" is not supported'],
  ])('names what of Go is missing: %j', (template, message) => {
    expect(() => compileTemplate(template).render(DATA)).toThrow(message);
  });

  it.each([
    ['{{index .Config.Env 9}}', '<index .Config.Env 9>: error calling index: index out of range: 9'],
    ['{{index .State 0}}', '<index .State 0>: error calling index: value has type int; should be string'],
    ['{{slice .Config.Env 2 1}}', '<slice .Config.Env 2 1>: error calling slice: invalid slice index: 2 > 1'],
    ['{{eq 1 "a"}}', '<eq 1 "a">: error calling eq: incompatible types for comparison'],
    ['{{upper}}', '<upper>: wrong number of args for upper: want 1 got 0'],
    ['{{upper "a" "b"}}', '<upper>: wrong number of args for upper: want 1 got 2'],
    ['{{not}}', '<not>: wrong number of args for not: want 1 got 0'],
    ['{{and}}', '<and>: wrong number of args for and: want at least 1 got 0'],
    ['{{.Name "x"}}', '<.Name>: Name is not a method but has arguments'],
    ['{{nil}}', '<nil>: nil is not a command'],
    ['{{1 2}}', "<1>: can't give argument to non-function 1"],
  ])('fails at %j with Go’s message', (template, message) => {
    const { render } = compileTemplate(template);
    expect(() => render(DATA)).toThrow(new TemplateError(`template: :1:2: executing "" at ${message}`));
  });

  it('places an error by line and byte', () => {
    const { render } = compileTemplate('é\n é{{.Name.Foo}}');
    expect(() => render(DATA)).toThrow(
      'template: :2:5: executing "" at <.Name.Foo>: can\'t evaluate field Foo in type string',
    );
  });
});

describe('a struct in a template', () => {
  const image = makeStruct('image', { ID: () => 'abc', Tag: () => '<none>', Label: (key) => ['label', key] });

  it('computes a field when it is asked for, and calls a method with its argument', () => {
    expect(compileTemplate('{{.ID}} {{.Label "x"}} {{"y" | .Label}}').render(image)).toBe('abc [label x] [label y]');
  });

  it('has no other fields, not even those that all objects have', () => {
    for (const name of ['Nope', 'toString', 'constructor', '__proto__']) {
      expect(() => compileTemplate(`{{.${name}}}`).render(image)).toThrow(`can't evaluate field ${name} in type image`);
    }
  });

  it('is JSON with sorted keys, without methods, and HTML-safe, as json.Marshal makes it', () => {
    expect(compileTemplate('{{json .}}').render(image)).toBe('{"ID":"abc","Tag":"\\u003cnone\\u003e"}');
  });
});

describe('a map in a template', () => {
  it('has a key of any name, and no other', () => {
    const map = JSON.parse('{"__proto__": "own", "toString": "mine"}') as Value;
    expect(compileTemplate('{{.__proto__}} {{.toString}} {{.constructor}}').render(map)).toBe('own mine <no value>');
  });
});

describe('renderHeader()', () => {
  it('leaves the titles as they are, but pads them', () => {
    const { renderHeader } = compileTemplate(
      '{{upper .A}}|{{json .A}}|{{truncate .A 1}}|{{join .A ","}}|{{pad .A 1 1}}|',
    );
    expect(renderHeader({ A: 'Title' })).toBe('Title|Title|Title|Title| Title |');
  });
});
