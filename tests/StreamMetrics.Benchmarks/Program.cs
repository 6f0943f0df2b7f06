using StreamMetrics.Benchmarks.Aggregator;

// The whole aggregator against a preloaded topic; everything else is BenchmarkDotNet's.
if (args is ["aggregator", .. var rest]) return await WorkW.RunAsync(rest);
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
