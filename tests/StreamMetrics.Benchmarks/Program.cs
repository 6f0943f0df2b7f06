using StreamMetrics.Benchmarks.Aggregator;
using StreamMetrics.Benchmarks.EmbeddedKafka;
using StreamMetrics.Benchmarks.Query;
using StreamMetrics.Benchmarks.Tracing;

// The whole aggregator, its restore and its replacement against a real cluster, the embedded broker under load, the query service, and what tracing costs; everything else is BenchmarkDotNet's.
if (args is ["aggregator", .. var work]) return await WorkW.RunAsync(work);
if (args is ["takeover", .. var takeover]) return await TakeoverRun.RunAsync(takeover);
if (args is ["restore", .. var restore]) return await RestoreRun.RunAsync(restore);
if (args is ["embedded-kafka", .. var brokerArguments]) return await Throughput.RunAsync(brokerArguments);
if (args is ["query", .. var query]) return await QueryRun.RunAsync(query);
if (args is ["tracing", .. var tracing]) return await TracingRun.RunAsync(tracing);
if (args is ["agreement", .. var agreement]) return await AgreementRun.RunAsync(agreement);
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
