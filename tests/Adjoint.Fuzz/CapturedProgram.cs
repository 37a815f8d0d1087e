using System.Globalization;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Fuzz;

/// <summary>
/// A random training step, eager and captured, with what breaks plans between the steps: collections, other tensors of
/// the same sizes, other graphs going backward, values changed in place. Losses and parameters have the same bits, and
/// nobody else's tensor changes.
/// </summary>
internal sealed class CapturedProgram
{
    private const int Steps = 7;

    /// <summary>All that one side of the comparison lives in; both are made with the same seed.</summary>
    private sealed class World
    {
        private readonly List<string> layers = [];
        private readonly List<Func<Tensor, Tensor>> step = [];

        internal World(FuzzRandom random)
        {
            (Rows, Width) = (random.Pick(3, 16, 40), random.Pick(4, 33, 64));
            var generator = new Generator(random.Next());
            Drawn = new Generator(random.Next());
            Labels = Tensor.From(Enumerable.Range(0, Rows).Select(_ => (long)random.Below(Width)).ToArray());
            // Of another graph, which will go backward: its value is read by the step.
            OtherLeaf = Tensor.Randn(Shape.Create([Rows, Width]), generator).RequireGrad();
            Other = (OtherLeaf * 0.5).Tanh();
            var detached = Other.Detach().Clone().Detach();
            var foreign = Tensor.Randn(Shape.Create([Width, Width]), generator).RequireGrad();
            Foreign = foreign;
            var outside = Tensor.Randn(Shape.Create([Rows, Width]), generator);
            var makeGradient = Tensor.Randn(Shape.Create([Rows, Width]), generator).RequireGrad();
            (makeGradient * makeGradient).Sum().Backward();
            var gradient = makeGradient.Grad!;
            for (var count = random.Between(2, 6); count > 0; count--)
            {
                var scale = random.Signed();
                switch (random.Below(19))
                {
                    case 0 or 1:
                        var w = Tensor.Randn(Shape.Create([Width, Width]), generator).Affine(0.1, 0).Detach()
                            .RequireGrad();
                        Parameters.Add(w);
                        Add("x·w", h => h.MatMul(w));
                        break;
                    case 2:
                        var bias = Tensor.Randn(Shape.Create([Width]), generator).RequireGrad();
                        Parameters.Add(bias);
                        Add("x + b", h => h + bias);
                        break;
                    case 3: Add("tanh", h => h.Tanh()); break;
                    case 4: Add("relu", h => h.Relu()); break;
                    case 5: Add("x·full", h => h.MatMul(Tensor.Full(Shape.Create([Width, Width]), scale / 8))); break;
                    case 6: Add("x ⊙ full", h => h * Tensor.Full(h.Shape, scale)); break;
                    case 7: Add("x·foreign leaf", h => h.MatMul(foreign) * 0.1); break;
                    case 8: Add("x + outside", h => h + outside); break;
                    case 9: Add("x + detached", h => h + detached); break;
                    case 10: Add("x + gradient", h => h + gradient); break;
                    case 11: Add("softmax", h => h.Softmax()); break;
                    case 12: Add("layernorm", h => h.LayerNorm(Tensor.Ones(Width))); break;
                    case 13: Add("dropout", new Dropout(0.3, Drawn).Forward); break;
                    case 14: Add("noise", h => h + Tensor.Randn(h.Shape, Drawn) * 0.1); break;
                    case 15: Add("joined parts", h => Tensor.Concat([h[.., 1..], h[.., ..1] * scale], 1)); break;
                    case 16: Add("turned", h => Tensor.Concat([h[1..], h[..1]], 0).Square().Sqrt()); break;
                    case 17: Add("used thrice", h => (h * h.Sigmoid() + h).MatMul(foreign) * 0.1); break;
                    default: Add("where", h => h + h[..1] * Tensor.Ones(1, Width)); break;
                }
            }
            var last = Tensor.Randn(Shape.Create([Width, Width]), generator).Affine(0.1, 0).Detach().RequireGrad();
            Parameters.Add(last);
            Add("x·w", h => h.MatMul(last));
            Outside = outside;
            Inputs = [.. Enumerable.Range(0, Steps).Select(_ => Tensor.Randn(Shape.Create([Rows, Width]), generator))];
            Optimizer = new Sgd(Parameters, 0.05, momentum: 0.9);
        }

        internal int Rows { get; }
        internal int Width { get; }
        internal Tensor Labels { get; }
        internal Tensor OtherLeaf { get; }
        internal Tensor? Other { get; set; }
        internal Tensor Foreign { get; }
        internal Tensor Outside { get; }
        internal Tensor[] Inputs { get; }
        internal Generator Drawn { get; }
        internal List<Tensor> Parameters { get; } = [];
        internal Optimizer Optimizer { get; }

        internal Tensor Loss(Tensor x, Tensor y)
        {
            foreach (var layer in step) x = layer(x);
            return Adjoint.Loss.CrossEntropy(x, y);
        }

        public override string ToString() => $"{Rows}×{Width}: {string.Join(", ", layers)}";

        private void Add(string name, Func<Tensor, Tensor> layer)
        {
            layers.Add(name);
            step.Add(layer);
        }
    }

    internal static void Run(FuzzRandom random)
    {
        Workers.ThreadCount = random.Pick(1, 2, 3);
        var (worlds, between) = (random.Next(), random.Next());
        var (eager, captured) = (new World(new FuzzRandom(worlds)), new World(new FuzzRandom(worlds)));
        var isWhole = random.Once(2);
        var step = CapturedFunction.Create((Tensor x, Tensor y) =>
        {
            foreach (var parameter in captured.Parameters) parameter.ZeroGrad();
            var value = captured.Loss(x, y);
            value.Backward();
            if (isWhole) captured.Optimizer.Step();
            return value;
        });
        var (atEager, atCaptured) = (new FuzzRandom(between), new FuzzRandom(between));
        var bystanders = new List<Tensor>();
        for (var i = 0; i < Steps; i++)
        {
            foreach (var parameter in eager.Parameters) parameter.ZeroGrad();
            var loss = eager.Loss(eager.Inputs[i], eager.Labels);
            loss.Backward();
            var found = step.Run(captured.Inputs[i], captured.Labels).Item();
            Same($"the loss of step {i}", [(float)loss.Item()], [(float)found], captured);
            for (var k = 0; k < eager.Parameters.Count; k++)
                Same($"gradient {k} of step {i}", Values(eager.Parameters[k].Grad),
                    Values(captured.Parameters[k].Grad), captured);
            if (eager.Drawn.Position != captured.Drawn.Position)
                throw new FindingException(
                    $"position after step {i}: captured {captured.Drawn.Position}, eager "
                    + $"{eager.Drawn.Position}: {captured}");
            eager.Optimizer.Step();
            if (!isWhole) captured.Optimizer.Step();
            for (var k = 0; k < eager.Parameters.Count; k++)
                Same($"parameter {k} after step {i}", Values(eager.Parameters[k]), Values(captured.Parameters[k]),
                    captured);
            Disturb(eager, atEager, []);
            Disturb(captured, atCaptured, bystanders);
            foreach (var bystander in bystanders)
                if (bystander.ToArray<float>().Any(value => value != 7))
                    throw new FindingException($"another's tensor changed: {captured}");
            Adjoint.Memory.BufferGuard.Check();
        }
    }

    private static void Disturb(World world, FuzzRandom random, List<Tensor> bystanders)
    {
        if (random.Once(2)) GC.Collect(random.Below(3));
        if (random.Once(3)) GC.WaitForPendingFinalizers();
        for (var i = random.Below(4); i > 0; i--)
            bystanders.Add(Tensor.Full(Shape.Create([random.Pick(world.Rows, world.Width), world.Width]), 7));
        if (random.Once(3) && world.Other is { } other)
        {
            other.Sum().Backward();
            world.Other = null;
        }
        if (random.Once(4)) world.OtherLeaf.ZeroGrad();
        if (random.Once(4)) world.Foreign.ZeroGrad();
        if (random.Once(4)) world.Optimizer.ZeroGrad();
        if (random.Once(4)) world.Outside.Fill(random.Signed());
        if (random.Once(5)) world.Drawn.Position = 8 * (ulong)random.Below(1000);
        if (random.Once(5)) _ = (world.Foreign * 2).Sum().Item();
    }

    private static float[] Values(Tensor? tensor) => tensor?.ToArray<float>() ?? [];

    private static void Same(string what, float[] eager, float[] captured, World world)
    {
        for (var i = 0; i < Math.Max(eager.Length, captured.Length); i++)
            if (i >= eager.Length || i >= captured.Length
                || BitConverter.SingleToInt32Bits(eager[i]) != BitConverter.SingleToInt32Bits(captured[i]))
                throw new FindingException(string.Create(CultureInfo.InvariantCulture,
                    $"{what}, element {i}: captured {At(captured, i)}, eager {At(eager, i)}: {world}"));

        static string At(float[] values, int i) =>
            i < values.Length ? values[i].ToString("R", CultureInfo.InvariantCulture) : "none";
    }
}
