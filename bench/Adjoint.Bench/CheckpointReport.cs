using System.Diagnostics;
using System.Globalization;
using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Bench;

/// <summary>
/// Training steps of a deep stack, 24 residual blocks of two layers (width 256, inside 1024, 512 rows, GELU, dropout),
/// with and without <see cref="GradientCheckpoint"/>: peak of tensors' memory, and time, each in a process of its own.
/// </summary>
internal static class CheckpointReport
{
    private const int Depth = 24, Width = 256, Inside = 1024, Rows = 512, Steps = 6;

    /// <param name="arguments">Nothing for all; two kinds of step for one, in this process.</param>
    internal static int Run(string[] arguments)
    {
        if (arguments is [var way, var memory])
        {
            Measure(way == "captured", memory == "checkpointed");
            return 0;
        }
        Console.WriteLine("| step | tensors at the peak MB | of them in the plan MB | ms |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var step in (string[])["eager", "captured"])
            foreach (var kind in (string[])["plain", "checkpointed"])
            {
                using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
                {
                    ArgumentList = { typeof(CheckpointReport).Assembly.Location, "checkpoint", step, kind },
                    RedirectStandardOutput = true,
                })!;
                Console.Write(child.StandardOutput.ReadToEnd());
                child.WaitForExit();
            }
        return 0;
    }

    private static void Measure(bool captured, bool checkpointed)
    {
        var random = new Generator(1);
        var blocks = Enumerable.Range(0, Depth).Select(_ => new Sequential(
            new LayerNorm([Width]), new Linear(Width, Inside, generator: random), new Gelu(),
            new Linear(Inside, Width, generator: random), new Dropout(0.1, random))).ToArray();
        var optimizer = new Sgd(blocks.SelectMany(block => block.Parameters()), 0.01);
        var input = Tensor.Randn([Rows, Width], new Generator(2));
        Tensor Step(Tensor x)
        {
            optimizer.ZeroGrad();
            foreach (var block in blocks)
                x = checkpointed ? GradientCheckpoint.Run(h => h + block.Forward(h), x) : x + block.Forward(x);
            var loss = x.Square().Mean();
            loss.Backward();
            optimizer.Step();
            return loss;
        }

        var step = CapturedFunction.Create(Step);
        var best = double.MaxValue;
        for (var i = 0; i < Steps; i++)
        {
            var start = Stopwatch.GetTimestamp();
            if (captured) step.Run(input);
            else Step(input);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        // A plan replays: what the eager and the recorded call had is gone.
        if (captured) BufferPool.Trim();
        var held = BufferPool.RentedBytes + BufferPool.PooledBytes + step.PlannedBytes;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {(captured ? "captured" : "eager")}, {(checkpointed ? "checkpointed" : "plain")} | {held / 1e6:0.0} | "
            + $"{step.PlannedBytes / 1e6:0.0} | {best:0.0} |"));
    }
}
