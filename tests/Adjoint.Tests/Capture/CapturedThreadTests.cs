using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Capture;

/// <summary>Captured steps and threads.</summary>
public class CapturedThreadTests
{
    [Fact]
    public void Steps_on_several_threads_equal_the_eager_ones_bit_for_bit()
    {
        var expected = Enumerable.Range(0, 4).Select(i => Train(i, captured: false)).ToArray();
        var found = new float[4][];
        Together(4, i => found[i] = Train(i, captured: true));
        Assert.Equal(expected, found);

        static float[] Train(int number, bool captured)
        {
            var model = new Mlp(20, [50], 4, "tanh", new Generator((ulong)number));
            var optimizer = new Sgd(model.Parameters(), 0.1, momentum: 0.9);
            var step = CapturedStep.Create((a, b) => Loss.CrossEntropy(model.Forward(a), b), model.Parameters());
            var labels = Tensor.From(Enumerable.Range(0, 64).Select(i => (long)(i % 4)).ToArray());
            for (var i = 0; i < 20; i++)
            {
                var x = Tensor.Randn([64, 20], new Generator((ulong)number, (ulong)i));
                if (captured) step.Run(x, labels);
                else
                {
                    optimizer.ZeroGrad();
                    Loss.CrossEntropy(model.Forward(x), labels).Backward();
                }
                optimizer.Step();
            }
            return [.. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];
        }
    }

    [Fact]
    public void A_step_moves_from_thread_to_thread()
    {
        var w = Tensor.Full([2000], 3).RequireGrad();
        var step = CapturedStep.Create((x, _) => (x * w * w).Sum(), [w]);
        for (var i = 1; i < 6; i++)
        {
            var factor = i;
            Together(1, _ =>
                Assert.Equal(2000 * 9 * factor, step.Run(Tensor.Full([2000], factor), Tensor.Zeros(1)).Item()));
            Assert.Equal(6 * factor, w.Grad!.ItemAt(7));
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_step_that_two_threads_run_at_once_is_refused()
    {
        var w = Tensor.Ones(10).RequireGrad();
        using var inside = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        var step = CapturedStep.Create(
            (x, _) =>
            {
                inside.Release();
                go.Wait();
                return (x * w).Sum();
            },
            [w]);
        var first = new Thread(() => step.Run(Tensor.Ones(10), Tensor.Zeros(1)));
        first.Start();
        inside.Wait();
        var error = Assert.Throws<AdjointException>(() => step.Run(Tensor.Ones(10), Tensor.Zeros(1)));
        Assert.Contains("already running", error.Message, StringComparison.Ordinal);
        go.Release();
        first.Join();
        go.Release();
        Assert.Equal(10, step.Run(Tensor.Ones(10), Tensor.Zeros(1)).Item());
    }

    [Theory, InlineData("of the input"), InlineData("of a parameter"), InlineData("of a parameter, awaited")]
    public void A_part_that_is_computed_on_another_thread_is_refused_or_runs_eagerly(string which)
    {
        var w = Tensor.Full([2000], 3).RequireGrad();
        Tensor Step(Tensor x, Tensor y)
        {
            var part = Elsewhere(() => which == "of the input" ? x * 2 : w * w, which != "of a parameter, awaited");
            return (x * part + w).Sum();
        }
        var strict = CapturedStep.Create(Step, [w]);
        strict.Run(Tensor.Ones(2000), Tensor.Zeros(1));
        var error = Assert.Throws<CaptureException>(() => strict.Run(Tensor.Ones(2000), Tensor.Zeros(1)));
        Assert.Contains("on another thread", error.Message, StringComparison.Ordinal);

        var lenient = CapturedStep.Create(Step, [w], fallBackToEager: true);
        for (var i = 1; i < 5; i++)
        {
            var loss = lenient.Run(Tensor.Full([2000], i), Tensor.Zeros(1)).Item();
            Assert.Equal(which == "of the input" ? 2000 * (2 * i * i + 3) : 2000 * (9 * i + 3), loss);
            Assert.Equal(which == "of the input" ? 1 : 6 * i + 1, w.Grad!.ItemAt(3));
        }
        Assert.NotNull(lenient.Refusal);
    }

    [Theory, InlineData(4), InlineData(5000)]
    public void What_another_thread_made_meanwhile_is_refused_though_it_looks_like_a_constant(int length)
    {
        var (v, x) = (Tensor.Ones(length), Tensor.Ones(length));
        var function = CapturedFunction.Create((Tensor a) =>
        {
            Tensor? squared = null;
            var other = new Thread(() => squared = v.Square());
            other.Start();
            other.Join();
            return a * squared!;
        }, fallBackToEager: true);
        for (var call = 1; call < 5; call++)
        {
            v.Fill(call);
            Assert.All(function.Run(x).ToArray<float>(), value => Assert.Equal(call * call, value));
        }
        Assert.Contains("made on another thread meanwhile", function.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Others_may_use_the_parameters_while_a_step_is_recorded()
    {
        var model = new Mlp(20, [50], 4, "tanh", new Generator(1));
        var x = Tensor.Randn([64, 20], new Generator(5));
        float[] Answer()
        {
            using var _ = new NoGrad();
            return model.Forward(x).ToArray<float>();
        }
        var expected = Answer();
        using var stop = new CancellationTokenSource();
        Together(4, i =>
        {
            if (i > 0)
            {
                while (!stop.IsCancellationRequested) Assert.Equal(expected, Answer());
                return;
            }
            try
            {
                for (var run = 0; run < 50; run++)
                {
                    var step = CapturedStep.Create(
                        (a, b) => Loss.CrossEntropy(model.Forward(a), b), model.Parameters());
                    for (var call = 0; call < 3; call++) step.Run(x, Tensor.From(new long[64]));
                    Assert.True(step.IsCaptured);
                }
            }
            finally
            {
                stop.Cancel();
            }
        });
    }

    private static Tensor Elsewhere(Func<Tensor> work, bool wrap)
    {
        // A long one gets a thread of its own; who waits for another may run it on its own thread.
        var task = Task.Factory.StartNew(
            work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return wrap ? task.Result : task.GetAwaiter().GetResult();
    }

    private static void Together(int threads, Action<int> work)
    {
        var failures = new List<Exception>();
        var all = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            try
            {
                work(i);
            }
            catch (Exception error)
            {
                lock (failures) failures.Add(error);
            }
        })).ToArray();
        foreach (var thread in all) thread.Start();
        foreach (var thread in all) thread.Join();
        if (failures.Count > 0) throw new AggregateException(failures);
    }
}
