using Adjoint.Bench;
using BenchmarkDotNet.Running;

// versus: against libtorch, both sides alternating. memory: what a training step holds. inference: what a process
// holds that only computes forwards. loader: whether loading starves training. Anything else goes to BenchmarkDotNet.
if (args is ["versus", ..]) return Versus.Run(args[1..]);
if (args is ["memory", ..]) return MemoryReport.Run();
if (args is ["inference", ..]) return InferenceMemoryReport.Run(args[1..]);
if (args is ["loader", ..]) return LoaderReport.Run();
BenchmarkSwitcher.FromAssembly(typeof(Versus).Assembly).Run(args);
return 0;
