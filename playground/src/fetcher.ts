import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { getOperationAST, parse, type DocumentNode } from 'graphql';

const url = new URL('/graphql', window.location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

const transport = createGraphiQLFetcher({
  url: url.href,
  subscriptionUrl: socketUrl.href,
  headers: { Accept: 'application/graphql-response+json, application/json;q=0.9' },
  enableIncrementalDelivery: false,
});

/** Every answer shows at its end, under `extensions`, what it cost in calls to the two systems. */
const extensions = { cost: true };

/**
 * Queries and mutations by POST, subscriptions over the WebSocket at the same path. What is typed
 * into the header editor goes along: as HTTP headers, and as the payload of `connection_init`.
 *
 * GraphiQL tells what kind of operation it is, and its name, from an analysis that lags behind the
 * editor: whoever switches tabs and runs at once would send the last tab's. So the text decides.
 */
export const fetcher: Fetcher = (params, options) => {
  const documentAST = parsed(params.query);
  const operation =
    documentAST &&
    (getOperationAST(documentAST, params.operationName) ?? getOperationAST(documentAST));
  const request = { ...params, operationName: operation?.name?.value, extensions };
  return transport(request, { ...options, documentAST });
};

/** Text that does not parse goes to the gateway as it is: its answer says what is wrong. */
function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined;
  }
}
