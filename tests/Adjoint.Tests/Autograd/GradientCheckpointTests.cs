using Adjoint.Memory;
using Adjoint.Nn;

namespace Adjoint.Tests.Autograd;

/// <summary>That what is computed again is the same, whatever happens around it, and that memory goes down.</summary>
public class GradientCheckpointTests
{
    // Above the pool's smallest buffer: smaller tensors have nothing to drop.
    private const int Rows = 64, Width = 48;

    [Fact]
    public void Gradients_are_the_same_bits()
    {
        var steps = Both(check =>
        {
            var (w, v) = (Leaf(1), Leaf(2));
            var x = Leaf(3, Rows);
            // One of them is used inside and outside, three times in all.
            var hidden = check(h => (h.MatMul(w).Gelu().MatMul(v) + h).Tanh(), x.MatMul(w));
            var loss = check(h => h.MatMul(w).Sigmoid(), hidden).Square().Mean();
            loss.Backward();
            return [loss, x.Grad!, w.Grad!, v.Grad!];
        });
        AssertSame(steps);
    }

    [Fact]
    public void What_is_dropped_is_gone_until_it_is_computed_again()
    {
        Tensor? inside = null, kept = null;
        var w = Leaf(1);
        var y = GradientCheckpoint.Run(x =>
        {
            inside = x.MatMul(w);
            kept = inside.Tanh().Keep();
            return kept.Square();
        }, Leaf(2, Rows));
        Assert.True(inside!.IsReleased);
        Assert.Contains("it was made within GradientCheckpoint.Run",
            Assert.Throws<AdjointException>(() => inside!.ItemAt(0, 0)).Message, StringComparison.Ordinal);
        Assert.True(double.IsFinite(kept!.ItemAt(0, 0)));
        var isThere = false;
        inside.RegisterHook(_ =>
        {
            isThere = !inside.IsReleased;
            return null;
        });
        y.Sum().Backward();
        Assert.True(isThere);
        Assert.True(inside.IsReleased);
    }

    [Fact]
    public void Dropout_drops_the_same_and_the_stream_goes_on()
    {
        AssertSame(Both(check =>
        {
            var random = new Generator(5);
            var (w, x) = (Leaf(1), Leaf(2, Rows));
            var dropout = new Dropout(0.4, random);
            Tensor Block(Tensor h) =>
                dropout.Forward(dropout.Forward(h.MatMul(w)).Tanh() + Tensor.Randn(h.Shape, random));
            var loss = check(h => Block(check(Block, h)), check(Block, x)).Square().Mean();
            loss.Backward();
            return [loss, x.Grad!, w.Grad!, Tensor.From([(double)random.Position])];
        }));
    }

    [Fact]
    public void Statistics_of_batches_move_once()
    {
        AssertSame(Both(check =>
        {
            var network = new Sequential(new Linear(Width, Width, generator: new(1)), new BatchNorm(Width), new Relu());
            var x = Leaf(2, Rows).To(DType.Float32);
            check(network.Forward, x).Square().Mean().Backward();
            return [.. network.StateDict().Values, .. network.Parameters().Select(one => one.Grad!)];
        }));
    }

    [Fact]
    public void Layers_of_a_language_model_are_the_same_bits()
    {
        var tokens = Tensor.From([.. Enumerable.Range(0, 48).Select(i => i * i % 11L)], 3, 16);
        var results = ((bool[])[false, true]).Select(checkpoints =>
        {
            var model = new Gpt(new()
            {
                Vocabulary = 11,
                Context = 16,
                Width = 32,
                Heads = 2,
                Layers = 2,
                Dropout = 0.2,
                CheckpointLayers = checkpoints,
            }, new Generator(1));
            model.Forward(tokens).Square().Mean().Backward();
            return Copied([.. model.Parameters().Select(parameter => parameter.Grad!)]);
        }).ToArray();
        AssertSame(results);
    }

    [Fact]
    public void A_graph_that_is_retained_computes_again_each_time()
    {
        var results = Both(check =>
        {
            var (w, x) = (Leaf(1), Leaf(2, Rows));
            var loss = check(h => (h.MatMul(w).Tanh() * Tensor.Bernoulli(h.Shape, 0.5, new(3), DType.Float64)).Exp(), x)
                .Mean();
            loss.Backward(retainGraph: true);
            loss.Backward(retainGraph: true);
            loss.Backward();
            return [x.Grad!, w.Grad!];
        });
        AssertSame(results);
    }

    [Fact]
    public void Second_derivatives_are_the_same_bits()
    {
        AssertSame(Both(check =>
        {
            var (w, x) = (Leaf(1), Leaf(2, Rows));
            var loss = check(h => check(g => g.MatMul(w).Tanh(), h).MatMul(w).Sigmoid(), x).Square().Mean();
            var gradient = Differentiation.Gradients(loss, [x], createGraph: true)[0]!;
            (gradient.Square().Sum() + loss).Backward();
            return [gradient.Detach().Clone(), x.Grad!, w.Grad!];
        }));
    }

    [Fact]
    public void Only_what_is_asked_for_gets_a_gradient()
    {
        AssertSame(Both(check =>
        {
            var (w, v, x) = (Leaf(1), Leaf(2), Leaf(3, Rows));
            var inner = x.MatMul(v);
            var loss = check(h => h.MatMul(w).Tanh() + inner, x).Square().Mean();
            var found = Differentiation.Gradients(loss, [w, inner], retainGraph: true);
            loss.BackwardTo([v]);
            Assert.Null(w.Grad);
            Assert.Null(x.Grad);
            return [found[0]!, found[1]!, v.Grad!];
        }));
    }

    [Fact]
    public void Several_go_in_and_out()
    {
        AssertSame(Both(check =>
        {
            var (w, x, y) = (Leaf(1), Leaf(2, Rows), Leaf(3, Rows));
            Tensor[] Cell(Tensor[] given)
            {
                var h = (given[0].MatMul(w) + given[1]).Tanh();
                return [h, (h * given[1]).Exp(), given[1]];
            }
            var results = check == (Checkpoint)GradientCheckpoint.Run
                ? GradientCheckpoint.Run(Cell, x, y)
                : Cell([x, y]);
            // One of the results, which needs only a part.
            results[0].Sum().Backward(retainGraph: true);
            (results[1] * results[2]).Mean().Backward();
            return [x.Grad!, y.Grad!, w.Grad!];
        }));
    }

    [Fact]
    public void What_is_changed_in_place_inside_is_changed_again()
    {
        AssertSame(Both(check =>
        {
            var (w, x) = (Leaf(1), Leaf(2, Rows));
            var scale = Tensor.Full([Rows, Width], 2, DType.Float64);
            var loss = check(h =>
            {
                // From outside: read, written, read, written.
                var y = h.MatMul(w) * scale.Clone();
                var before = scale.Clone();
                scale.CopyFrom(scale * 3);
                y = (y * scale.Clone()).Tanh() * before;
                scale.Fill(5);
                // Made here, of numbers, and of primitives.
                var table = Tensor.From([.. Enumerable.Range(0, Rows * Width).Select(i => i / 1000.0)], Rows, Width);
                var own = Tensor.Zeros([Rows, Width], DType.Float64) + table;
                var half = own * 0.5;
                own.CopyFrom(half);
                own[3].Fill(1);
                return y * own;
            }, x).Mean();
            scale.Fill(7);
            loss.Backward();
            return [x.Grad!, w.Grad!, scale];
        }));
    }

    [Fact]
    public void What_is_changed_before_backward_is_refused()
    {
        var (w, b, x) = (Leaf(1), Tensor.Ones(Width).To(DType.Float64).Detach(), Leaf(2, Rows));
        // Of a sum no backward reads the terms: here they are computed with again.
        var loss = GradientCheckpoint.Run(h => (h.MatMul(w) + b).Tanh().Exp(), x).Mean();
        b.Fill(2);
        Assert.Equal("GradientCheckpoint: a tensor that the function read was changed in place since (version 0 then, "
            + "1 now), and Backward() computes with it again; change a .Clone(), or change it after Backward()",
            Assert.Throws<AdjointException>(() => loss.Backward()).Message);
    }

    [Fact]
    public void Captured_steps_are_the_same_bits_and_take_less_memory()
    {
        var planned = new List<long>();
        var results = Both(check =>
        {
            var random = new Generator(5);
            Tensor[] weights = [.. Enumerable.Range(0, 8).Select(i => Leaf(10 + (ulong)i))];
            var dropout = new Dropout(0.2, random);
            var step = CapturedFunction.Create((Tensor x) =>
            {
                foreach (var weight in weights) weight.ZeroGrad();
                foreach (var weight in weights)
                    x = check(h => dropout.Forward((h.MatMul(weight).Gelu() * 1.5).Tanh().Exp()).Tanh() + h, x);
                var loss = x.Square().Mean();
                loss.Backward();
                foreach (var weight in weights) weight.Detach().CopyFrom(weight.Detach() - weight.Grad! * 0.1);
                return loss;
            });
            var input = Leaf(2, Rows).Detach();
            var losses = new List<Tensor>();
            for (var i = 0; i < 5; i++) losses.Add(step.Run(input));
            Assert.True(step.IsCaptured, step.Refusal);
            planned.Add(step.PlannedBytes);
            return [.. losses, .. weights, Tensor.From([(double)random.Position])];
        });
        AssertSame(results);
        Assert.InRange(planned[1], 1, planned[0] * 6 / 10);
    }

    [Fact]
    public void A_refused_capture_leaves_the_stream_where_it_was()
    {
        AssertSame(Both(check =>
        {
            var random = new Generator(5);
            var (w, x) = (Leaf(1), Leaf(2, Rows).Detach());
            var dropout = new Dropout(0.3, random);
            var step = CapturedFunction.Create(
                (Tensor given) =>
                {
                    w.ZeroGrad();
                    var loss = check(h => dropout.Forward(h.MatMul(w)), given).Square().Mean();
                    loss.Backward();
                    return loss * loss.Item();
                }, fallBackToEager: true);
            var losses = Enumerable.Range(0, 3).Select(_ => step.Run(x)).ToArray();
            Assert.False(step.IsCaptured);
            return [.. losses, w.Grad!, Tensor.From([(double)random.Position])];
        }));
    }

    [Fact]
    public void Another_thread_may_go_backward()
    {
        AssertSame(Both(check =>
        {
            var (w, x) = (Leaf(1), Leaf(2, Rows));
            var loss = check(h => h.MatMul(w).Tanh().Exp(), x).Mean();
            var thread = new Thread(() => loss.Backward());
            thread.Start();
            thread.Join();
            return [x.Grad!, w.Grad!];
        }));
    }

    [Fact]
    public void The_peak_of_the_pool_falls()
    {
        long Peak(Checkpoint check)
        {
            const int N = 512;
            Tensor[] weights = [.. Enumerable.Range(0, 12).Select(i => Leaf((ulong)i))];
            GC.Collect();
            GC.WaitForPendingFinalizers();
            TensorMemory.Trim();
            var before = BufferPool.RentedBytes;
            var x = Leaf(50, N).Detach();
            foreach (var weight in weights)
                x = check(h => h.MatMul(weight).Tanh().Exp().Tanh().Exp().Tanh().Exp().Tanh() + h, x);
            x.Mean().Backward();
            return BufferPool.RentedBytes + BufferPool.PooledBytes - before;
        }
        var (plain, checkpointed) = (Peak((f, x) => f(x)), Peak(GradientCheckpoint.Run));
        Assert.InRange(checkpointed, 1, plain * 45 / 100);
    }

    [Fact]
    public void Without_gradients_nothing_is_noted()
    {
        var w = Leaf(1);
        using (new NoGrad())
        {
            Tensor? inside = null;
            GradientCheckpoint.Run(x => (inside = x.MatMul(w)).Tanh(), Leaf(2, Rows));
            Assert.False(inside!.IsReleased);
        }
        Assert.Equal("GradientCheckpoint: the function returned null in the place of a tensor",
            Assert.Throws<AdjointException>(() => GradientCheckpoint.Run(_ => (Tensor)null!, w)).Message);
    }

    [Fact]
    public void An_error_inside_leaves_nothing_behind()
    {
        var (w, x) = (Leaf(1), Leaf(2, Rows));
        Assert.Throws<AdjointException>(() => GradientCheckpoint.Run(h => h.MatMul(w).MatMul(x), x));
        Tensor? inside = null;
        (inside = x.MatMul(w)).Tanh().Sum().Backward();
        Assert.False(inside.IsReleased);
    }

    private delegate Tensor Checkpoint(Func<Tensor, Tensor> function, Tensor x);

    private static Tensor[][] Both(Func<Checkpoint, Tensor[]> step) =>
        [Copied(step((function, x) => function(x))), Copied(step(GradientCheckpoint.Run))];

    private static Tensor[] Copied(Tensor[] results) => [.. results.Select(result => result.Detach().Clone().Keep())];

    private static void AssertSame(Tensor[][] results)
    {
        foreach (var (expected, found) in results[0].Zip(results[1]))
            Assert.Equal(expected.To(DType.Float64).ToArray<double>(), found.To(DType.Float64).ToArray<double>());
    }

    private static Tensor Leaf(ulong seed, int rows = Width) =>
        (Tensor.Randn([rows, Width], new Generator(seed), DType.Float64) * 0.3).Detach().Clone().RequireGrad();
}
