using System.Collections.Concurrent;
using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Autograd;

/// <summary>Graphs whose parts are built, finished and gone back through on different threads.</summary>
public class ThreadTests
{
    [Fact]
    public void Half_of_a_graph_on_another_thread_keeps_its_gradient()
    {
        // w⁴ + 3w², w² shared; whichever thread has applied more ops before, and whichever makes which part.
        var w = Tensor.From(new[] { 2.0 }).RequireGrad();
        Func<Func<Tensor>, Tensor>[] places = [work => work(), On];
        foreach (var first in places)
            foreach (var second in places)
                foreach (var third in places)
                    foreach (var last in places)
                    {
                        Enumerable.Range(0, 10).Aggregate(w, (y, _) => y * 1.0);
                        var square = first(() => w * w);
                        var power = second(() => square * square);
                        var rest = third(() => square * 3);
                        var sum = last(() => (power + rest).Sum());
                        w.Grad = null;
                        sum.Backward();
                        Assert.Equal(44, w.Grad!.Item());
                    }
    }

    [Fact]
    public void Forward_loss_and_backward_may_each_have_a_thread()
    {
        var expected = Gradients(run => run());
        Assert.Equal(expected, Gradients(On));

        static float[][] Gradients(Func<Func<Tensor>, Tensor> on)
        {
            var model = new Mlp(20, [64, 30], 5, "tanh", new Generator(1));
            var (x, labels) = Batch(40, 20, 5);
            var logits = on(() => model.Forward(x));
            var loss = on(() => Loss.CrossEntropy(logits, labels));
            on(() =>
            {
                loss.Backward();
                return loss;
            });
            return [.. model.Parameters().Select(parameter => parameter.Grad!.ToArray<float>())];
        }
    }

    [Fact]
    public async Task An_await_between_any_two_parts_of_a_step_changes_no_bit()
    {
        var alone = new List<float[]>();
        for (ulong seed = 1; seed <= 8; seed++) alone.Add(await Train(seed, hops: false));
        // All at once, so that the parts of one come between the parts of another on the pool's threads.
        var together = await Task.WhenAll(
            from seed in Enumerable.Range(1, 8)
            select Train((ulong)seed, hops: true));
        Assert.Equal(alone, together);

        static async Task<float[]> Train(ulong seed, bool hops)
        {
            var model = new Mlp(12, [40], 3, "tanh", new Generator(seed));
            var optimizer = new Adam(model.Parameters(), 0.01);
            var results = new List<float>();
            for (var step = 0; step < 30; step++)
            {
                var (x, labels) = Batch(64, 12, 3, seed + 100 * (ulong)step);
                var logits = model.Forward(x);
                await new ThreadHop(hops);
                var loss = Loss.CrossEntropy(logits, labels);
                await new ThreadHop(hops);
                optimizer.ZeroGrad();
                loss.Backward();
                await new ThreadHop(hops);
                // What the graph computed is read after others went backward.
                results.Add(logits.Detach().Softmax().ToArray<float>()[^1]);
                await new ThreadHop(hops);
                optimizer.Step();
                await new ThreadHop(hops);
            }
            return [.. results, .. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];
        }
    }

    [Fact]
    public void The_same_graph_gives_the_same_bits_whichever_threads_built_it()
    {
        // Many terms of different size meet at one leaf: another order of adding them up would show.
        var expected = Sum(work => work());
        for (var i = 0; i < 5; i++) Assert.Equal(expected, Sum(On));

        static float[] Sum(Func<Func<Tensor>, Tensor> on)
        {
            var w = Tensor.Randn([50], new Generator(3)).RequireGrad();
            var terms = new Tensor[40];
            Parallel.For(0, terms.Length, i => terms[i] = on(() => (w * Math.Pow(10, i % 7 - 3)).Sin() * (i + 0.1)));
            terms.Aggregate((a, b) => a + b).Sum().Backward();
            return w.Grad!.ToArray<float>();
        }
    }

    [Fact]
    public void Second_derivatives_cross_threads()
    {
        var x = Tensor.From(new[] { 2.0 }).RequireGrad();
        var y = On(() => x.Pow(4));
        var first = On(() => Differentiation.Gradients(y, [x], createGraph: true)[0]!);
        var second = Differentiation.Gradients(On(() => first * 1.0), [x], createGraph: true)[0]!;
        var third = On(() => Differentiation.Gradients(second, [x])[0]!);
        Assert.Equal([32, 48, 48], new[] { first, second, third }.Select(value => Math.Round(value.Item(), 9)));
    }

    [Fact]
    public void Passes_on_several_threads_lose_no_gradient_of_a_shared_leaf()
    {
        var w = Tensor.Ones(100_000).RequireGrad();
        InParallel(8, _ =>
        {
            for (var i = 0; i < 50; i++) (w * 2.0).Sum().Backward();
        });
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(800, value));
    }

    [Fact]
    public void Passes_on_several_threads_through_one_retained_graph_take_turns()
    {
        var w = Tensor.Full([2000], 3).RequireGrad();
        var trunk = w.Square();
        InParallel(8, number =>
        {
            for (var i = 0; i < 50; i++)
                (trunk * (double)(number + 1)).Sum().Backward(retainGraph: true);
        });
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(6 * 50 * 36, value));
    }

    [Fact]
    public void A_hook_that_goes_back_through_the_running_graph_is_refused_and_leaves_it_whole()
    {
        var w = Tensor.From(new[] { 3.0 }).RequireGrad();
        var y = w * w;
        var loss = y.Sum();
        using (y.RegisterHook(_ =>
        {
            loss.Backward(retainGraph: true);
            return null;
        }))
        {
            var error = Assert.Throws<AdjointException>(() => loss.Backward());
            Assert.Contains("is already in a backward pass", error.Message, StringComparison.Ordinal);
        }
        w.Grad = null;
        loss.Backward();
        Assert.Equal(6, w.Grad!.Item());
    }

    [Fact]
    public void A_pass_that_fails_leaves_the_graph_for_another_on_any_thread()
    {
        var w = Tensor.From(new[] { 3.0 }).RequireGrad();
        var (y, used) = (w * w, w * 2);
        used.Sum().Backward();
        Assert.Throws<AdjointException>(() => (y + used).Sum().Backward());
        w.Grad = null;
        On(() =>
        {
            y.Sum().Backward();
            return y;
        });
        Assert.Equal(6, w.Grad!.Item());
    }

    [Fact]
    public async Task What_a_flow_computed_stays_readable_while_others_go_backward_on_its_threads()
    {
        var model = new Mlp(8, [64], 4, "relu", new Generator(2));
        var sums = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(i => Task.Run(() => Handle(i, async () => await Task.Yield()))));
        for (var i = 0; i < sums.Length; i++) Assert.Equal(await Handle(i, () => Task.CompletedTask), sums[i]);

        // As a web service would: which inputs matter for the answer, the parameters of the model shared by all
        // requests.
        async Task<float[]> Handle(int request, Func<Task> pause)
        {
            var all = new List<float>();
            for (var i = 0; i < 20; i++)
            {
                var x = Tensor.Randn([600, 8], new Generator((ulong)request, (ulong)i)).RequireGrad();
                var y = model.Forward(x);
                await pause();
                var matters = Differentiation.Gradients(y.Square().Sum(), [x])[0]!;
                await pause();
                all.AddRange(y.ToArray<float>()[..10]);
                all.AddRange(matters.ToArray<float>()[..10]);
            }
            return [.. all];
        }
    }

    [Fact]
    public void What_another_thread_has_touched_is_not_recycled_under_it()
    {
        var w = Tensor.Full([3000], 2).RequireGrad();
        using var handed = new SemaphoreSlim(0);
        using var recycled = new SemaphoreSlim(0);
        Tensor? made = null;
        var seen = new List<float[]>();
        var other = Start(() =>
        {
            for (var i = 0; i < 20; i++)
            {
                handed.Wait();
                var mine = made!.Detach();
                seen.Add(mine.ToArray<float>());
                recycled.Release();
                handed.Wait();
                seen.Add((mine * 1.0).ToArray<float>());
                recycled.Release();
            }
        });
        for (var i = 0; i < 20; i++)
        {
            made = w * (double)i;
            Hand();
            made.Sum().Backward();
            // Two more graphs of the same size: were the buffer in the pool, they would write into it.
            (w * 100).Sum().Backward();
            (w * 200).Sum().Backward();
            Hand();
        }
        other.Join();
        for (var i = 0; i < 20; i++)
        {
            Assert.All(seen[2 * i], value => Assert.Equal(2 * i, value));
            Assert.All(seen[2 * i + 1], value => Assert.Equal(2 * i, value));
        }

        void Hand()
        {
            handed.Release();
            recycled.Wait();
        }
    }

    [Fact]
    public void What_one_thread_alone_has_touched_goes_back_to_the_pool()
    {
        // The library's own threads compute too; they must not count.
        var model = new LeNet5(10, new Generator(1));
        var (x, labels) = (Tensor.Randn([32, 1, 28, 28], new Generator(2)), Tensor.From(new long[32]));
        var activations = new List<Tensor>();
        foreach (var layer in model)
            layer.RegisterForwardHook((_, _, y) =>
            {
                activations.Add(y);
                return null;
            });
        Loss.CrossEntropy(model.Forward(x), labels).Backward();
        var first = activations.Where(y => y.Length >= 1024).ToArray();
        Loss.CrossEntropy(model.Forward(x), labels).Backward();
        Assert.True(first.Length > 5);
        Assert.All(first, y => Assert.True(y.IsReleased));
    }

    [Fact]
    public void Forward_on_one_thread_and_backward_on_another_leave_memory_flat()
    {
        var w = Tensor.Randn([64, 64], new Generator(1)).RequireGrad();
        using var graphs = new BlockingCollection<Tensor>(2);
        var backward = Start(() =>
        {
            foreach (var loss in graphs.GetConsumingEnumerable())
            {
                w.ZeroGrad();
                loss.Backward();
            }
        });
        long Bytes() => BufferPool.RentedBytes + BufferPool.PooledBytes;
        for (var i = 0; i < 200; i++) graphs.Add((w * w).Sigmoid().Sum());
        var early = Bytes();
        for (var i = 0; i < 5000; i++) graphs.Add((w * w).Sigmoid().Sum());
        graphs.CompleteAdding();
        backward.Join();
        Assert.InRange(Bytes(), 0, early + (96 << 20)); // a leak would be 160 MB
    }

    [Fact]
    public void Inference_on_64_threads_beside_a_training_equals_the_sequential_bits()
    {
        var model = new Mlp(30, [100, 50], 6, "relu", new Generator(5)).Eval();
        float[] Answer(int i)
        {
            using var _ = new NoGrad();
            return model.Forward(Tensor.Randn([50, 30], new Generator((ulong)i))).Softmax().ToArray<float>();
        }
        var expected = Enumerable.Range(0, 64).Select(Answer).ToArray();
        using var stop = new CancellationTokenSource();
        var training = Start(() =>
        {
            var other = new Mlp(30, [100, 50], 6, "relu", new Generator(6));
            var optimizer = new Sgd(other.Parameters(), 0.1);
            var (x, labels) = Batch(50, 30, 6);
            while (!stop.IsCancellationRequested)
            {
                optimizer.ZeroGrad();
                Loss.CrossEntropy(other.Forward(x), labels).Backward();
                optimizer.Step();
            }
        });
        var found = new float[64][];
        InParallel(64, i =>
        {
            for (var again = 0; again < 5; again++) found[i] = Answer(i);
        });
        stop.Cancel();
        training.Join();
        Assert.Equal(expected, found);
    }

    private static (Tensor X, Tensor Labels) Batch(int count, int features, int classes, ulong seed = 9)
    {
        var labels = Enumerable.Range(0, count).Select(i => (long)(i % classes)).ToArray();
        return (Tensor.Randn([count, features], new Generator(seed)), Tensor.From(labels, count));
    }

    // A thread of its own, never this one.
    private static T On<T>(Func<T> work)
    {
        var (result, failure) = (default(T), default(Exception));
        var thread = new Thread(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception error)
            {
                failure = error;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return result!;
    }

    // Awaiting one goes on in a new thread, always, or does not wait.
    private readonly struct ThreadHop(bool hops) : System.Runtime.CompilerServices.INotifyCompletion
    {
        public bool IsCompleted => !hops;
        public ThreadHop GetAwaiter() => this;
        public void GetResult() { }
        public void OnCompleted(Action continuation) => Start(continuation);
    }

    private static Thread Start(Action work)
    {
        var thread = new Thread(() => work());
        thread.Start();
        return thread;
    }

    private static void InParallel(int threads, Action<int> work)
    {
        var failures = new ConcurrentQueue<Exception>();
        var all = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            try
            {
                work(i);
            }
            catch (Exception error)
            {
                failures.Enqueue(error);
            }
        })).ToArray();
        foreach (var thread in all) thread.Start();
        foreach (var thread in all) thread.Join();
        if (!failures.IsEmpty) throw new AggregateException(failures);
    }
}
