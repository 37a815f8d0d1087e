using System.Globalization;
using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Bench;

/// <summary>What a steady step of the course's MNIST network holds and allocates, eager and captured.</summary>
internal static class MemoryReport
{
    internal static int Run()
    {
        Console.WriteLine(
            "| step | buffers MB | needed MB | ratio | managed bytes a step | page faults a step | collections |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var captured in (bool[])[false, true]) Measure(captured);
        return 0;
    }

    private static void Measure(bool captured)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        BufferPool.Trim();
        var before = BufferPool.RentedBytes + BufferPool.PooledBytes;
        var model = new Mlp(784, [3136], 10, "sigmoid", new Generator(1));
        var optimizer = new Sgd(model.Parameters(), 0.01, momentum: 0.9);
        var (x, y) = (Tensor.Rand([128, 784], new Generator(2)), Tensor.From(new long[128], 128));
        Tensor Step(Tensor x, Tensor y)
        {
            optimizer.ZeroGrad();
            var loss = Loss.CrossEntropy(model.Forward(x), y);
            loss.Backward();
            optimizer.Step();
            return loss;
        }

        var step = CapturedFunction.Create(Step);
        void One()
        {
            if (captured) step.Run(x, y);
            else Step(x, y);
        }

        for (var i = 0; i < 10; i++) One();
        // What drawing the weights left over.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        if (captured) BufferPool.Trim();
        var (allocated, faults, collections) = (GC.GetAllocatedBytesForCurrentThread(), ProcFiles.PageFaults,
            GC.CollectionCount(0));
        for (var i = 0; i < 100; i++) One();
        (allocated, faults, collections) = (GC.GetAllocatedBytesForCurrentThread() - allocated, ProcFiles.PageFaults
            - faults, GC.CollectionCount(0) - collections);
        var held = BufferPool.RentedBytes + BufferPool.PooledBytes - before + step.PlannedBytes;
        // Parameters, gradients and momentum; what backward reads: x, the hidden values before and after the sigmoid,
        // logits and their gradient.
        var needed = 4.0 * (3 * model.Parameters().Sum(parameter => parameter.Length) + 128 * 784 + 2 * 128 * 3136
            + 2 * 128 * 10);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {(captured ? "captured" : "eager")} | {held / 1e6:0.0} | {needed / 1e6:0.0} | {held / needed:0.00} | " +
                $"{allocated / 100} | {faults / 100.0:0.0} | {collections} |"));
    }
}
