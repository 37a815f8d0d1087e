using Adjoint.Nn;

namespace Adjoint.Tests.Autograd;

/// <summary>Scopes end where they should, and nothing of them stays behind on a thread.</summary>
public class ScopeTests
{
    [Theory, InlineData(typeof(NoGrad)), InlineData(typeof(AnomalyMode)), InlineData(typeof(Tracing))]
    public void A_scope_of_a_thread_is_a_ref_struct_so_that_the_compiler_refuses_await_in_it(Type scope) =>
        Assert.True(scope.IsByRefLike);

    [Fact]
    public void A_default_scope_does_nothing()
    {
        var x = Tensor.Ones(2).RequireGrad();
        using (default(NoGrad)) Assert.NotNull((x * 2).Source);
        Assert.NotNull((x * 2).Source);
        using (new NoGrad())
        {
            using (default(NoGrad)) { }
            Assert.Null((x * 2).Source);
        }
        Assert.NotNull((x * 2).Source);
        using (default(AnomalyMode)) Assert.False(AnomalyMode.IsEnabled);
        using (new AnomalyMode())
        {
            using (default(AnomalyMode)) { }
            Assert.True(AnomalyMode.IsEnabled);
        }
        Assert.False(AnomalyMode.IsEnabled);
        using (default(Tracing)) Assert.Null((x * 2).Source!.Trace);
    }

    [Fact]
    public void Scopes_that_end_twice_or_in_another_order_leave_nothing_behind()
    {
        var outer = new NoGrad();
        var inner = new NoGrad();
        outer.Dispose();
        inner.Dispose();
        outer.Dispose();
        Assert.True(GradMode.IsEnabled);
        using (new NoGrad())
        {
            outer.Dispose();
            inner.Dispose();
            Assert.False(GradMode.IsEnabled);
        }
        Assert.True(GradMode.IsEnabled);

        var first = new AnomalyMode();
        var second = new AnomalyMode();
        first.Dispose();
        first.Dispose();
        second.Dispose();
        Assert.False(AnomalyMode.IsEnabled);
        using (new AnomalyMode())
        {
            first.Dispose();
            Assert.True(AnomalyMode.IsEnabled);
        }

        var x = Tensor.Ones(2).RequireGrad();
        var wide = new Tracing();
        var narrow = new Tracing();
        wide.Dispose();
        narrow.Dispose();
        wide.Dispose();
        Assert.Null((x * 2).Source!.Trace);
        Assert.Null(Execution.Current.Observer);
    }

    [Fact]
    public void An_exception_in_a_scope_leaves_nothing_behind()
    {
        var x = Tensor.Ones(2).RequireGrad();
        Assert.Throws<AdjointException>(() =>
        {
            using var recording = new NoGrad();
            using var anomaly = new AnomalyMode();
            using var tracing = new Tracing();
            x.Backward(Tensor.Ones(3));
        });
        Assert.True(GradMode.IsEnabled);
        Assert.False(AnomalyMode.IsEnabled);
        Assert.Null((x * 2).Source!.Trace);
    }

    [Fact]
    public void Backward_and_its_hooks_leave_the_mode_as_it_was()
    {
        var x = Tensor.Ones(2).RequireGrad();
        var (y, z) = ((x * 2).Sum(), (x * x).Sum());
        using (x.RegisterHook(_ =>
        {
            new NoGrad(); // never ended
            throw new InvalidOperationException();
        }))
            Assert.Throws<InvalidOperationException>(() => y.Backward());
        Assert.True(GradMode.IsEnabled);
        using (new NoGrad())
        {
            Differentiation.Gradients(z, [x], createGraph: true);
            Assert.False(GradMode.IsEnabled);
        }
        Assert.True(GradMode.IsEnabled);
    }

    [Fact]
    public void An_op_that_fails_while_traced_does_not_hide_the_next()
    {
        var x = Tensor.Ones(2).RequireGrad();
        using var tracing = new Tracing();
        Assert.Throws<InvalidOperationException>(() => Op.Apply(new FailingOp(), x));
        var y = x * 2;
        Assert.NotNull(y.Source!.Trace);
        Assert.Equal(1, y.Source.Trace!.Forward.Operations);
    }

    [Fact]
    public async Task Scopes_between_awaits_stay_on_their_thread()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(async () =>
        {
            var x = Tensor.Ones(2).RequireGrad();
            for (var i = 0; i < 50; i++)
            {
                using (new NoGrad()) Assert.Null((x * 2).Source);
                await Task.Yield();
                Assert.NotNull((x * 2).Source);
                if (number % 2 == 0)
                    using (new AnomalyMode()) Assert.True(AnomalyMode.IsEnabled);
                await Task.Yield();
                Assert.False(AnomalyMode.IsEnabled);
            }
        })));
    }

    [Fact]
    public async Task The_default_stream_is_one_for_the_process()
    {
        var before = Generator.Default;
        try
        {
            Generator.Default = new Generator(42);
            var here = Tensor.Randn(100).ToArray<float>();
            var there = await Task.Run(() => Tensor.Randn(100).ToArray<float>());
            var thread = Array.Empty<float>();
            var own = new Thread(() => thread = Tensor.Randn(100).ToArray<float>());
            own.Start();
            own.Join();
            var same = new Generator(42);
            Assert.Equal(Tensor.Randn([100], same).ToArray<float>(), here);
            Assert.Equal(Tensor.Randn([100], same).ToArray<float>(), there);
            Assert.Equal(Tensor.Randn([100], same).ToArray<float>(), thread);
        }
        finally
        {
            Generator.Default = before;
        }
    }

    [Fact]
    public void Threads_that_share_a_stream_draw_no_number_twice()
    {
        var stream = new Generator(7);
        var drawn = new List<double>();
        var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            var values = new List<double>();
            for (var i = 0; i < 4000; i++) values.AddRange(Tensor.Rand([2], stream, DType.Float64).ToArray<double>());
            lock (drawn) drawn.AddRange(values);
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal(8 * 4000 * 2, drawn.Distinct().Count());
        Assert.Equal(8 * 4000 * 8ul, stream.Position);
    }

    [Fact]
    public void A_model_that_is_looked_at_in_use_goes_back_to_training_part_by_part()
    {
        var (frozen, model) = (new BatchNorm(3), new Sequential(new Linear(4, 3), new Dropout(0.5)));
        var whole = new Sequential(model, frozen);
        frozen.Eval();
        whole.Summary(2, 4);
        Assert.True(whole.IsTraining && model.IsTraining && !frozen.IsTraining);
        Assert.Throws<AdjointException>(() => whole.Summary(2, 5));
        Assert.True(whole.IsTraining && model.IsTraining && !frozen.IsTraining);
        var use = whole.EvalScope();
        Assert.False(whole.IsTraining || model.IsTraining || frozen.IsTraining);
        use.Dispose();
        whole.Eval();
        use.Dispose();
        Assert.False(whole.IsTraining || model.IsTraining);
    }

    private sealed class FailingOp : Op
    {
        public override string Name => "Failing";
        public override string Formula => "";
        public override string Derivation => "";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            throw new InvalidOperationException();

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];
    }
}
