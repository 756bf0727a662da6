// The audits of the GraphQL-over-HTTP specification that the `graphql-http` package brings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';

import { url } from './gateway.mjs';

const audits = serverAudits({ url });

test('the package still brings the 61 audits we claim to pass', () => {
  assert.equal(audits.length, 61);
});

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    // A `warn` is a SHOULD that is not kept: no less a failure here.
    assert.equal(result.status, 'ok', result.reason);
  });
}
