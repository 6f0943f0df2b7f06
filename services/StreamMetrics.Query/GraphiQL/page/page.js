// Starts GraphiQL. Subscriptions come as Server-Sent Events: unlike a browser's WebSocket they can carry headers, an API key for example.
'use strict';

const url = '/graphql';

const defaultQuery = `# Questions, and live values: "Docs" on the left has the schema.
# With API keys, write {"X-Api-Key": "…"} under "Headers" below.

query Overview {
  services { source services { serviceId lastSeen metrics } }
  pipeline { lag eventsPerSecond dependencies { name state } }
}

query Latency {
  series(
    serviceId: "payment-service"
    metricName: "api.request.duration"
    groupBy: ["endpoint"]
    percentiles: [99.9]
  ) {
    source
    series {
      tags { key value }
      points { start count p99 percentiles { percentile value } final }
    }
  }
}

subscription Live {
  aggregates(
    serviceId: "payment-service"
    metricName: "api.request.duration"
    window: "1m-10s"
  ) { start count rate p50 p99 }
}
`;

function isSubscription(documentAST, operationName) {
  const operations = documentAST.definitions.filter((d) => d.kind === 'OperationDefinition');
  const operation = operations.length === 1 ? operations[0] : operations.find((o) => o.name && o.name.value === operationName);
  return operation !== undefined && operation.operation === 'subscription';
}

function fetcher(request, options) {
  const headers = (options && options.headers) || {};
  if (options && options.documentAST && isSubscription(options.documentAST, request.operationName)) {
    return graphqlSse.createClient({ url, headers, retryAttempts: 0 }).iterate(request);
  }

  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify(request),
  }).then((response) => response.json());
}

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery, isHeadersEditorEnabled: true, shouldPersistHeaders: false }),
);
