using Adjoint.Bench;
using BenchmarkDotNet.Running;

// versus: against other libraries. serve: one side of it. memory: what a training step holds.
// peak: what it holds at most. attention-memory: what attention holds at most, by length. inference: what a process
// that only computes forwards holds. loader: whether loading starves training. csv: how fast tables are read. door:
// what a call of a primitive costs. conv: each convolution algorithm, forced by its name.
// tiering: what tiered compilation costs an application.
// scaling: ranks against threads, what a link gives, and what the model makes of it.
// checkpoint: what gradient checkpoints save and cost.
// images: whether folders of small PNG files starve it.
// Anything else goes to BenchmarkDotNet.
switch (args)
{
    case ["versus", ..]: return Versus.Run(args[1..]);
    case ["serve"]: return Server.Run(() => new AdjointSide());
    case ["serve", "openblas"]: return Server.Run(() => new OpenBlasSide());
    case ["memory", ..]: return MemoryReport.Run();
    case ["peak", .. var which]: return PeakReport.Run(which);
    case ["attention-memory", .. var length]: return AttentionMemoryReport.Run(length);
    case ["inference", ..]: return InferenceMemoryReport.Run(args[1..]);
    case ["images", .. var rest]: return ImageFolderReport.Run(rest);
    case ["checkpoint", .. var which]: return CheckpointReport.Run(which);
    case ["loader", ..]: return LoaderReport.Run();
    case ["csv"]: return CsvReport.Run();
    case ["door"]: return DoorReport.Run();
    case ["tiering", .. var rest]: return TieringReport.Run(rest);
    case ["scaling", .. var rest]: return ScalingReport.Run(rest);
    case ["conv", .. var names]: return ConvReport.Run(names);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Versus).Assembly).Run(args);
        return 0;
}
