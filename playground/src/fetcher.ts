import { createGraphiQLFetcher } from '@graphiql/toolkit';

const url = new URL('/graphql', window.location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

/**
 * Queries and mutations by POST, subscriptions over the WebSocket at the same path. What is typed
 * into the header editor goes along: as HTTP headers, and as the payload of `connection_init`.
 */
export const fetcher = createGraphiQLFetcher({
  url: url.href,
  subscriptionUrl: socketUrl.href,
  headers: { Accept: 'application/graphql-response+json, application/json;q=0.9' },
  enableIncrementalDelivery: false,
});
