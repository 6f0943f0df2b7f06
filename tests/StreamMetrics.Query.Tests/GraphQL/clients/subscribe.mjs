// node subscribe.mjs ws|sse URL COUNT: subscribes to the total of a metric and prints COUNT sums, one a line, then "complete".
import { createClient as createSocketClient } from 'graphql-ws';
import { createClient as createEventClient } from 'graphql-sse';
import WebSocket from 'ws';

const [kind, url, count] = process.argv.slice(2);
const query = `subscription Live($serviceId: String!) {
  aggregates(serviceId: $serviceId, metricName: "api.request.duration") { sum kind }
}`;
const client = kind === 'ws'
  ? createSocketClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  : createEventClient({ url, retryAttempts: 0 });

let left = Number(count);
const unsubscribe = client.subscribe(
  { query, variables: { serviceId: 'payment-service' } },
  {
    next: (result) => {
      console.log(result.errors ? JSON.stringify(result.errors) : `${result.data.aggregates.kind} ${result.data.aggregates.sum}`);
      if (--left === 0) unsubscribe();
    },
    error: (error) => {
      console.error(error);
      process.exit(1);
    },
    complete: () => {
      console.log('complete');
      client.dispose();
    },
  },
);
