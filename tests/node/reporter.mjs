// One line a test, the whole error of a failing one, and a closing line with the counts.
import { basename } from 'node:path';

export default async function* report(events) {
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if (type === 'test:pass' && data.details.type !== 'suite') {
      passed += 1;
      yield `ok    ${basename(data.file ?? '')}  ${data.name}\n`;
    }
    if (type === 'test:fail' && data.details.type !== 'suite') {
      failed += 1;
      const cause = data.details.error.cause ?? data.details.error;
      yield `FAIL  ${basename(data.file ?? '')}  ${data.name}\n${cause?.stack ?? cause}\n`;
    }
  }
  yield `${passed} passed, ${failed} failed\n`;
}
