using StreamMetrics.Benchmarks.Aggregator;

// The whole aggregator against a real cluster; everything else is BenchmarkDotNet's.
if (args is ["aggregator", .. var work]) return await WorkW.RunAsync(work);
if (args is ["restore", .. var restore]) return await RestoreRun.RunAsync(restore);
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
