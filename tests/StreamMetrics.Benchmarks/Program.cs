using StreamMetrics.Benchmarks.Aggregator;
using StreamMetrics.Benchmarks.EmbeddedKafka;

// The whole aggregator against a preloaded topic, and the embedded broker under load; everything else is BenchmarkDotNet's.
if (args is ["aggregator", .. var rest]) return await WorkW.RunAsync(rest);
if (args is ["embedded-kafka", .. var brokerArguments]) return await Throughput.RunAsync(brokerArguments);
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
