using System.Diagnostics;
using System.Globalization;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Bench;

/// <summary>
/// What five training steps (batch 128, SGD with momentum) hold at most, eager and captured: each in a process of its
/// own, so that the system's figures are its own too. Bytes of tensors are exact, however busy the machine is.
/// </summary>
internal static class PeakReport
{
    private const int Steps = 5;

    private static readonly Dictionary<string, (int[] Input, Func<Layer> Create)> Networks = new()
    {
        ["mlp"] = ([784], () => new Mlp(784, [3136], 10, "sigmoid", new Generator(1))),
        ["lenet"] = ([3, 32, 32], () => new LeNetCifar(10, new Generator(1))),
        ["resnet20"] = ([3, 32, 32], () => new CifarResNet(20, generator: new Generator(1))),
        ["speednet"] = ([3, 32, 32], () => new SpeedNet(generator: new Generator(1))),
    };

    /// <param name="arguments">Nothing for all; a network and a kind of step for one, in this process.</param>
    internal static int Run(string[] arguments)
    {
        if (arguments is [var network, var kind])
        {
            Console.WriteLine(Measure(network, kind == "captured"));
            return 0;
        }
        Console.WriteLine("| network | step | tensors at most MB | at the end MB | plan MB | its buffers, together MB "
            + "| alive at once MB | resident at most MB (VmHWM) | at the end, not of files MB (RssAnon) |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var name in Networks.Keys)
            foreach (var step in (string[])["eager", "captured"])
            {
                using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
                {
                    ArgumentList = { typeof(PeakReport).Assembly.Location, "peak", name, step },
                    RedirectStandardOutput = true,
                })!;
                Console.Write(child.StandardOutput.ReadToEnd());
                child.WaitForExit();
            }
        return 0;
    }

    private static string Measure(string network, bool isCaptured)
    {
        var (input, create) = Networks[network];
        var model = create();
        var optimizer = new Sgd(model.Parameters(), 0.01, momentum: 0.9);
        var x = Tensor.Rand(Shape.Create([128, .. input]), new Generator(2));
        var y = Tensor.From([.. Enumerable.Range(0, 128).Select(i => i % 10L)], 128);
        long atMost = 0;
        CapturedFunction<Tensor>? step = null;
        // In a step, too, where the forward pass is done.
        void Look()
        {
            var held = TensorMemory.RentedBytes + TensorMemory.PooledBytes + (step?.PlannedBytes ?? 0);
            atMost = Math.Max(atMost, held);
        }

        Tensor Step(Tensor batch, Tensor labels)
        {
            optimizer.ZeroGrad();
            var loss = Loss.CrossEntropy(model.Forward(batch), labels);
            Look();
            loss.Backward();
            optimizer.Step();
            return loss;
        }

        step = CapturedFunction.Create(Step);
        for (var i = 0; i < Steps; i++)
        {
            _ = isCaptured ? step.Run(x, y) : Step(x, y);
            Look();
        }
        var end = TensorMemory.RentedBytes + TensorMemory.PooledBytes + step.PlannedBytes;
        var (sum, alive) = (step.Layout?.Sum ?? 0, step.Layout?.LowerBound ?? 0);
        return string.Join(" ", "|", network, "|", isCaptured ? "captured" : "eager", "|", Megabytes(atMost), "|",
            Megabytes(end), "|", Megabytes(step.PlannedBytes), "|", Megabytes(sum), "|", Megabytes(alive), "|",
            Megabytes(ProcFiles.Bytes("VmHWM") ?? 0), "|", Megabytes(ProcFiles.Bytes("RssAnon") ?? 0), "|");
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
