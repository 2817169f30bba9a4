// The formatters of the toolkit that the platform's own command line deploys with, over a serverless.yml given as JSON:
// each key that it uses must be read, and each value must arrive in what would be sent. Nothing is sent.
'use strict';

const fs = require('fs');
const path = require('path');

const toolkit = path.join(process.env.MODULE, 'lib', 'modules');
const { formatInputs } = require(path.join(toolkit, 'scf', 'utils'));
const triggers = {
  cos: require(path.join(toolkit, 'triggers', 'cos')).default,
  timer: require(path.join(toolkit, 'triggers', 'timer')).default,
};
const document = JSON.parse(fs.readFileSync(process.env.DOCUMENT, 'utf8'));

// what the command line and the component themselves use, before the toolkit: where, which files, which triggers
const ELSEWHERE = ['region', 'src', 'events'];

function watched(value, read, place = '') {
  if (value === null || typeof value !== 'object') return value;
  return new Proxy(value, {
    get(target, name) {
      const here = place ? `${place}.${String(name)}` : String(name);
      if (typeof name === 'string' && Object.prototype.hasOwnProperty.call(target, name)) read.add(here);
      return watched(target[name], read, here);
    },
  });
}

function leaves(value, place = '') {
  if (value === null || typeof value !== 'object') return [place];
  return Object.keys(value).flatMap((name) => leaves(value[name], place ? `${place}.${name}` : name));
}

function check(name, action) {
  let error = '';
  try {
    error = action() || '';
  } catch (thrown) {
    error = String((thrown && thrown.stack) || thrown);
  }
  process.stdout.write(JSON.stringify({ check: name, error }) + '\n');
}

function unread(inputs, format) {
  const read = new Set();
  const sent = format(watched(inputs, read));
  return { sent, missing: leaves(inputs).filter((leaf) => !read.has(leaf)) };
}

function functionInputs(inputs) {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !ELSEWHERE.includes(name)));
}

const inputs = document.inputs;
const made = unread(functionInputs(inputs), formatInputs);

check('every key of inputs is read', () => made.missing.join(', '));

check('every value of inputs arrives', () => {
  const expected = {
    FunctionName: inputs.name, Type: 'Event', Runtime: inputs.runtime, Handler: inputs.handler, Role: inputs.role,
    Timeout: inputs.timeout, MemorySize: inputs.memorySize, Description: inputs.description,
  };
  const wrong = Object.keys(expected).filter((name) => made.sent[name] !== expected[name]);
  const variables = Object.fromEntries(made.sent.Environment.Variables.map((item) => [item.Key, item.Value]));
  const others = Object.entries(inputs.environment.variables).filter(([name, value]) => variables[name] !== String(value));
  const net = made.sent.PublicNetConfig.PublicNetStatus === 'ENABLE' ? [] : ['publicAccess'];
  return [...wrong, ...others.map(([name]) => name), ...net].join(', ');
});

check('a key that nobody reads is noticed', () => {
  const { missing } = unread({ ...functionInputs(inputs), retries: 2 }, formatInputs);
  return missing.includes('retries') ? '' : 'it is not';
});

for (const kind of Object.keys(triggers)) {
  const entries = inputs.events.filter((entry) => entry[kind]).map((entry) => entry[kind]);
  const made = entries.map((entry) => {
    const trigger = new triggers[kind]({});
    return unread(entry, (entry) => trigger.formatInputs({ inputs: { functionName: 'f', namespace: 'default', ...entry } }).triggerInputs);
  });

  check(`there is a ${kind} trigger, and every key of each is read`, () =>
    made.length ? made.flatMap((each) => each.missing).join(', ') : 'there is none');

  check(`every ${kind} trigger is opened, as it is written`, () =>
    made
      .map(({ sent }, number) => {
        const { name, parameters } = entries[number];
        const filter = parameters.filter || {};
        const expected = kind === 'cos'
          ? [parameters.bucket, JSON.stringify({ event: parameters.events, filter: { Prefix: filter.prefix || '', Suffix: filter.suffix || '' } })]
          : [name, parameters.cronExpression];
        const same = sent.Enable === 'OPEN' && sent.TriggerName === expected[0] && sent.TriggerDesc === expected[1];
        const told = kind !== 'timer' || sent.CustomArgument === parameters.argument;
        return same && told ? '' : JSON.stringify(sent);
      })
      .join(''));
}
