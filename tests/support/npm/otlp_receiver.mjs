// An OTLP receiver that others have written: says on each line what it has understood.

import { MockOtlpServer } from "@elastic/mockotlpserver";

const say = (line) => console.log(JSON.stringify(line));

const names = (resources, scopes, items, nameOf) =>
  resources.flatMap((resource) =>
    resource[scopes].flatMap((scope) => scope[items].map(nameOf)),
  );

const server = new MockOtlpServer({
  services: ["http", "grpc"],
  httpHostname: "127.0.0.1",
  httpPort: 0,
  grpcHostname: "127.0.0.1",
  grpcPort: 0,
  logLevel: "fatal",
  onTrace: ({ resourceSpans }) =>
    say({ spans: names(resourceSpans, "scopeSpans", "spans", (span) => span.name) }),
  onMetrics: ({ resourceMetrics }) =>
    say({ metrics: names(resourceMetrics, "scopeMetrics", "metrics", (metric) => metric.name) }),
  onLogs: ({ resourceLogs }) =>
    say({ logs: names(resourceLogs, "scopeLogs", "logRecords", (record) => record.body.stringValue) }),
});
await server.start();
say({ http: String(server.httpUrl), grpc: String(server.grpcUrl) });
