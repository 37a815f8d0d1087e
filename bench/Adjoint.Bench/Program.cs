using Adjoint.Bench;
using BenchmarkDotNet.Running;

// versus: against other libraries. serve: one side of it. memory: what a training step holds. loader: whether loading
// starves training. Anything else goes to BenchmarkDotNet.
switch (args)
{
    case ["versus", ..]: return Versus.Run(args[1..]);
    case ["serve"]: return Server.Run(() => new AdjointSide());
    case ["serve", "openblas"]: return Server.Run(() => new OpenBlasSide());
    case ["memory", ..]: return MemoryReport.Run();
    case ["loader", ..]: return LoaderReport.Run();
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Versus).Assembly).Run(args);
        return 0;
}
