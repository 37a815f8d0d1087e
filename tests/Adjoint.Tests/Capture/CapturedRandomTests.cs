using Adjoint.Data;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Capture;

/// <summary>Random numbers in captured steps are those that the eager steps would have drawn.</summary>
public class CapturedRandomTests
{
    private static readonly Tensor None = Tensor.Zeros(1);
    private static readonly Tensor Ones = Tensor.Ones(64, 64);

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void Dropout_and_noise_draw_the_same_in_a_replay(DType type)
    {
        float[] Train(bool captured)
        {
            var generator = new Generator(3, 5);
            var (first, second) = (Leaf(20, 1000, 1, type), Leaf(1000, 4, 2, type));
            // One stream for all that draws.
            var (wide, channels) = (new Dropout(0.3, generator), new Dropout2d(0.2, generator));
            var labels = Tensor.From(Enumerable.Range(0, 37).Select(i => (long)(i % 4)).ToArray());
            Tensor Loss(Tensor x, Tensor y)
            {
                var hidden = channels.Forward(x + Tensor.Randn(x.Shape, generator, type) * 0.1).MatMul(first).Tanh();
                var scores = wide.Forward(hidden).MatMul(second);
                return Adjoint.Loss.CrossEntropy(scores * Tensor.Rand([37, 1], generator, type), y);
            }

            var optimizer = new Sgd([first, second], 0.1, momentum: 0.9);
            var step = CapturedStep.Create(Loss, [first, second]);
            var found = new List<float>();
            for (var i = 0; i < 20; i++)
            {
                var x = Tensor.Randn([37, 20], new Generator(9, (ulong)i), type);
                optimizer.ZeroGrad();
                if (captured) found.Add((float)step.Run(x, labels).Item());
                else
                {
                    var loss = Loss(x, labels);
                    loss.Backward();
                    found.Add((float)loss.Item());
                }
                optimizer.Step();
                found.Add(generator.Position);
                GC.Collect();
            }
            Assert.Equal(captured, step.IsCaptured);
            Assert.Equal((3UL, 5UL), (generator.Seed, generator.Stream));
            Assert.Equal(20UL * ((37 * 20 + 7) / 8 + (37 * 20 + 7) / 8 + 37 * 1000 / 8 + 5) * 8, generator.Position);
            foreach (var parameter in (Tensor[])[first, second])
                found.AddRange(parameter.To(DType.Float32).ToArray<float>());
            return [.. found];
        }

        var before = Workers.ThreadCount;
        try
        {
            Workers.ThreadCount = 1;
            var eager = Train(captured: false);
            foreach (var threads in (int[])[1, 2, 3])
            {
                Workers.ThreadCount = threads;
                Assert.Equal(eager, Train(captured: true));
            }
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void A_trainer_captures_the_steps_of_a_model_with_dropout()
    {
        float[] Train(bool eager, out int forwards)
        {
            var inputs = Tensor.Randn([256 * 40], new Generator(1)).ToArray<float>();
            byte[] labels = [.. Enumerable.Range(0, 256).Select(i => (byte)(i % 3))];
            var data = new TensorDataset("noise", (int[])[40], inputs, labels, ["a", "b", "c"]);
            var counted = new Counted();
            var random = new Generator(2);
            var model = new Sequential(counted, new Linear(40, 64, generator: random), new Relu(),
                new Dropout(0.4, new Generator(3)), new Linear(64, 3, generator: random));
            var optimizer = new Sgd(model.Parameters(), 0.1);
            new Trainer(model, optimizer, new ClassificationTask(), new DataLoader(data, 32),
                new DataLoader(data, 32))
            { Eager = eager }.Fit(3);
            forwards = counted.Forwards;
            return [.. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];
        }

        Assert.Equal(Train(eager: true, out var all), Train(eager: false, out var few));
        // The first runs eagerly, and the second is recorded.
        Assert.Equal((3 * 8, 2), (all, few));
    }

    [Fact]
    public void A_position_that_is_set_between_replays_is_drawn_from()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var generator = new Generator(1);
        var step = CapturedStep.Create((x, _) => (x * w * Tensor.Randn([64, 64], generator)).Sum(), [w]);
        for (var call = 0; call < 3; call++) step.Run(Ones, None);
        foreach (var position in (ulong[])[0, 4096, 8, 1UL << 40])
        {
            var same = new Generator(1) { Position = position };
            var expected = Tensor.Randn([64, 64], same).ToArray<float>();
            generator.Position = position;
            step.Run(Ones, None);
            Assert.Equal(expected, w.Grad!.ToArray<float>());
            Assert.Equal(same.Position, generator.Position);
            // What others draw between the steps moves the stream on, too.
            Assert.Equal(Tensor.Rand([5], same).ToArray<float>(), Tensor.Rand([5], generator).ToArray<float>());
            Assert.Equal(same.Permutation(9), generator.Permutation(9));
            expected = Tensor.Randn([64, 64], same).ToArray<float>();
            step.Run(Ones, None);
            Assert.Equal(expected, w.Grad!.ToArray<float>());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_refused_step_takes_back_what_it_drew_unless_others_drew_too()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var generator = new Generator(1);
        var others = false;
        Tensor Loss(Tensor x)
        {
            var noise = Tensor.Randn([7], generator) + Tensor.Bernoulli([7], 0.5, generator);
            if (others) Elsewhere(() => Tensor.Rand([20], generator));
            return (x * w).Sum() * (noise.Mean().Item() > -99 ? 1 : 2);
        }

        var lenient = CapturedStep.Create((x, _) => Loss(x), [w], fallBackToEager: true);
        foreach (var position in (ulong[])[16, 32, 48, 64])
        {
            lenient.Run(Ones, None);
            Assert.Equal(position, generator.Position);
        }
        Assert.Contains("between operations", lenient.Refusal, StringComparison.Ordinal);
        var strict = CapturedStep.Create((x, _) => Loss(x), [w]);
        strict.Run(Ones, None);
        Assert.Throws<CaptureException>(() => strict.Run(Ones, None));
        Assert.Equal(80UL, generator.Position);
        others = true;
        Assert.Throws<CaptureException>(() => strict.Run(Ones, None));
        Assert.Equal(80UL + 16 + 24, generator.Position);
    }

    [Fact]
    public void What_would_repeat_or_skip_numbers_is_refused_by_name()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var outside = new Generator(1);
        string Refusal(Func<Generator> make)
        {
            var step = CapturedStep.Create((x, _) => (x * w * Tensor.Rand([64, 64], make())).Sum(), [w]);
            step.Run(Ones, None);
            var gradient = w.Grad!.ToArray<float>();
            var message = Assert.Throws<CaptureException>(() => step.Run(Ones, None)).Message;
            var lenient = CapturedStep.Create(
                (x, _) => (x * w * Tensor.Rand([64, 64], make())).Sum(), [w], fallBackToEager: true);
            for (var call = 0; call < 4; call++)
            {
                lenient.Run(Ones, None);
                Assert.Equal(gradient, w.Grad!.ToArray<float>());
            }
            return message;
        }

        const string Made = "a Generator that is created inside is drawn from";
        Assert.Contains(Made, Refusal(() => new(1)), StringComparison.Ordinal);
        Assert.Contains(Made, Refusal(() => outside.Fork(3)), StringComparison.Ordinal);
        Assert.Contains(Made, Refusal(() => new(1) { Position = 16 }), StringComparison.Ordinal);
        Assert.Contains("Generator.Position writes", Refusal(() =>
        {
            outside.Position = 8;
            return outside;
        }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_generator_that_was_made_inside_the_recorded_step_draws_outside_of_it()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        Generator? made = null;
        var step = CapturedStep.Create(
            (x, _) =>
            {
                made = new Generator(1);
                return (x * w).Sum();
            },
            [w]);
        for (var call = 0; call < 3; call++) step.Run(Ones, None);
        Assert.True(step.IsCaptured);
        FreeMemory.Overwrite();
        Assert.Equal(Tensor.Rand([9], new Generator(1)).ToArray<float>(), Tensor.Rand([9], made!).ToArray<float>());
    }

    [Fact]
    public void A_default_generator_that_was_replaced_since_is_drawn_from()
    {
        var w = Tensor.Ones(8).RequireGrad();
        var before = Generator.Default;
        try
        {
            Generator.Default = new Generator(5);
            var step = CapturedStep.Create((x, _) => (w * Tensor.Randn(8)).Sum(), [w]);
            for (var call = 0; call < 3; call++) step.Run(None, None);
            for (var seed = 6UL; seed < 9; seed++)
            {
                Generator.Default = new Generator(seed);
                step.Run(None, None);
                Assert.Equal(Tensor.Randn([8], new Generator(seed)).ToArray<float>(), w.Grad!.ToArray<float>());
            }
            Assert.True(step.IsCaptured);
        }
        finally
        {
            Generator.Default = before;
        }
    }

    [Fact]
    public void Threads_that_share_a_stream_draw_no_number_twice()
    {
        var generator = new Generator(1);
        var found = new List<float[]>();
        var threads = Enumerable.Range(0, 3).Select(i => new Thread(() =>
        {
            var w = Tensor.Ones(64).RequireGrad();
            var step = CapturedStep.Create((x, _) => (w * Tensor.Randn([64], generator)).Sum(), [w]);
            for (var call = 0; call < 50; call++)
            {
                // The gradient is the noise.
                step.Run(None, None);
                lock (found) found.Add(w.Grad!.ToArray<float>());
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal(150UL * 64, generator.Position);
        var expected = Tensor.Randn([150, 64], new Generator(1)).ToArray<float>().Chunk(64);
        Assert.Equal(expected.Select(row => row[0]).Order(), found.Select(row => row[0]).Order());
    }

    private static Tensor Leaf(int rows, int columns, ulong seed, DType type) =>
        (Tensor.Randn([rows, columns], new Generator(seed), type) * 0.1).Detach().RequireGrad();

    private sealed class Counted : Layer
    {
        internal int Forwards { get; private set; }

        protected override Tensor ForwardCore(Tensor x)
        {
            if (IsTraining) Forwards++;
            return x;
        }
    }

    private static void Elsewhere(Action work)
    {
        var thread = new Thread(() => work());
        thread.Start();
        thread.Join();
    }
}
