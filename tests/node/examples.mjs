// The playground's example operations against the running sandbox: each must be valid and show
// something, or it teaches nothing.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { test } from 'node:test';
import {
  buildClientSchema,
  getIntrospectionQuery,
  getOperationAST,
  parse,
  validate,
} from 'graphql';

import { execute } from './gateway.mjs';

const folder = new URL('../../playground/src/examples/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
const schema = buildClientSchema(await execute(getIntrospectionQuery()));

test('there are examples', () => assert.ok(files.length >= 7, files.join()));

for (const file of files) {
  const source = readFileSync(new URL(file, folder), 'utf8');
  const document = parse(source);
  const operation = getOperationAST(document);

  test(`${file} is valid, is named after its file and explains itself`, () => {
    assert.deepEqual(validate(schema, document).map(String), []);
    assert.equal(`${operation.name.value}.graphql`, file);
    assert.ok(source.startsWith('# '), 'begins with a comment');
  });

  if (operation.operation === 'subscription') continue;

  test(`${file} shows something`, async () => {
    const beside = new URL(file.replace('.graphql', '.json'), folder);
    const variables = existsSync(beside) ? JSON.parse(readFileSync(beside, 'utf8')) : undefined;
    const data = await execute(source, variables);
    for (const [name, value] of Object.entries(data)) {
      assert.notEqual(value, null, `${name} is null`);
      const rows = value.nodes ?? value;
      if (Array.isArray(rows)) assert.notEqual(rows.length, 0, `${name} is empty`);
      if (value.userErrors) assert.deepEqual(value.userErrors, [], name);
    }
  });
}
