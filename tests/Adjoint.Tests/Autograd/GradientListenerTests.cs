namespace Adjoint.Tests.Autograd;

/// <summary>
/// Whoever listens is told of each gradient once, when it has its final value and not later: eagerly, while a step is
/// recorded, and in each replay.
/// </summary>
public class GradientListenerTests
{
    [Fact]
    public void A_gradient_is_told_of_before_the_pass_goes_on()
    {
        var (x, w, v) = (Leaf(1).RequireGrad(false), Leaf(2), Leaf(3));
        var events = new List<string>();
        var hidden = (x * w).Tanh();
        hidden.RegisterHook(_ =>
        {
            events.Add("hidden");
            return null;
        });
        Listen((leaf, _) => events.Add(leaf == w ? "w" : leaf == v ? "v" : "?"), () => (hidden * v).Sum().Backward());
        Assert.Equal(["v", "hidden", "w"], events);
    }

    [Fact]
    public void A_leaf_that_is_used_several_times_is_told_of_once_after_the_last()
    {
        var (w, v) = (Leaf(1), Leaf(2));
        var told = Told(() => ((w * v).Tanh() * w + w).Sum().Backward());
        // v is used by the node that is passed last, together with w.
        Assert.Equal([w, v], told.Select(one => one.Leaf).OrderBy(leaf => leaf == v));
        Check(told);
    }

    [Fact]
    public void A_rule_that_gives_no_gradient_ends_the_wait_for_it()
    {
        var (w, v, idle) = (Leaf(1), Leaf(2), Leaf(3));
        var told = Told(() =>
            (Op.Apply(new LeftOnly(), w, idle) * v + Op.Apply(new LeftOnly(), w, v)).Sum().Backward());
        Assert.Equal([v, w], told.Select(one => one.Leaf).OrderBy(leaf => leaf == w));
        Assert.Null(idle.Grad);
        Check(told);
    }

    [Fact]
    public void Hooked_leaves_are_told_of_with_what_the_hook_returned()
    {
        var (w, v) = (Leaf(1), Leaf(2));
        w.RegisterHook(gradient => gradient * 3);
        var told = Told(() => ((w * v).Tanh() + w).Sum().Backward());
        Assert.Equal([v, w], told.Select(one => one.Leaf));
        Check(told);
    }

    [Fact]
    public void Only_leaves_that_were_asked_for_are_told_of()
    {
        var (w, v) = (Leaf(1), Leaf(2));
        var told = Told(() => ((w * v).Tanh() + w).Sum().BackwardTo([w]));
        Assert.Equal([w], told.Select(one => one.Leaf));
        Check(told);
        Assert.Empty(Told(() => Differentiation.Gradients((w * v).Sum(), [w, v])));
    }

    [Fact]
    public void A_leaf_that_is_differentiated_itself_is_told_of()
    {
        var w = Tensor.Scalar(2).RequireGrad();
        var told = Told(() => w.Backward());
        Assert.Equal([w], told.Select(one => one.Leaf));
        Check(told);
    }

    [Fact]
    public void What_earlier_passes_left_is_part_of_the_gradient()
    {
        var (w, v) = (Leaf(1), Leaf(2));
        (w * v).Sum().Backward();
        Check(Told(() => (w * v).Tanh().Sum().Backward()));
    }

    [Fact]
    public void Gradients_with_a_graph_are_told_of()
    {
        var (w, v) = (Leaf(1), Leaf(2));
        Check(Told(() => ((w * v).Tanh() * w).Sum().Backward(createGraph: true)));
    }

    [Fact]
    public void Nodes_within_checkpoints_count()
    {
        var (w, v) = (Leaf(1), Leaf(2));
        var told = Told(() =>
            (GradientCheckpoint.Run(x => (x * v).Tanh() * w, Leaf(3)) * w).Sum().Backward());
        Assert.Equal(2, told.Count(one => one.Leaf == w || one.Leaf == v));
        Check(told);
    }

    [Fact]
    public void A_step_that_was_recorded_unheard_is_recorded_anew_for_a_listener()
    {
        var w = Leaf(1);
        var step = CapturedStep.Create((x, y) => (x * w - y).Square().Mean(), [w]);
        for (var i = 0; i < 3; i++) step.Run(Leaf(2).Detach(), Leaf(3).Detach());
        Assert.True(step.IsCaptured);
        for (var i = 0; i < 3; i++)
        {
            var told = Told(() => step.Run(Leaf(4 + i).Detach(), Leaf(3).Detach()));
            Assert.Equal([w], told.Select(one => one.Leaf));
            Check(told);
        }
    }

    [Fact]
    public void A_replay_tells_of_a_gradient_before_it_goes_on()
    {
        var (x, w, v) = (Leaf(1).Detach(), Leaf(2), Leaf(3));
        var step = CapturedStep.Create((x, _) => ((x * w).Tanh().MatMul(v.Transpose())).Square().Sum(), [w, v]);
        List<string> names = [];
        for (var call = 0; call < 4; call++)
            Listen((_, _) => { }, () =>
            {
                names.Clear();
                // A recording observes by itself.
                if (!step.IsCaptured) step.Run(x, x);
                else
                    using (Backend.Observe(call =>
                    {
                        names.Add(call.Name);
                        call.Run();
                    }))
                        step.Run(x, x);
            });
        // Between the two, that of w is computed; before the first, the whole forward pass.
        var told = Enumerable.Range(0, names.Count).Where(i => names[i] == "GradientReady").ToArray();
        Assert.Equal(2, told.Length);
        Assert.InRange(told[1] - told[0], 2, names.Count);
        Assert.InRange(told[0], names.IndexOf("MatMul") + 1, names.Count);
    }

    [Fact]
    public void Random_graphs_tell_of_each_gradient_once_with_its_final_value_also_in_replays()
    {
        var first = Random.Shared.Next();
        for (var seed = first; seed < first + 60; seed++)
        {
            var program = new Program(seed);
            var step = CapturedStep.Create((x, _) => program.Loss(x), program.Parameters);
            Tensor[]? order = null;
            for (var call = 0; call < 5; call++)
            {
                var x = Tensor.Randn([8, 12], new Generator((ulong)seed, (ulong)call));
                program.Clear();
                var told = Told(() =>
                {
                    if (call == 0) program.Loss(x).BackwardTo(program.Parameters);
                    else step.Run(x, x);
                });
                Check(told, $"seed {seed}, call {call}: ");
                var leaves = told.Select(one => one.Leaf).ToArray();
                Assert.True(leaves.SequenceEqual(order ??= leaves), $"seed {seed}, call {call}: another order");
                Assert.True(leaves.ToHashSet().SetEquals(program.Parameters.Where(leaf => leaf.Grad is not null)),
                    $"seed {seed}, call {call}: others");
            }
            Assert.True(step.IsCaptured, $"seed {seed}: {step.Refusal}");
        }
    }

    private static List<(Tensor Leaf, float[] Values)> Told(Action work)
    {
        var told = new List<(Tensor, float[])>();
        Listen((leaf, gradient) => told.Add((leaf, gradient.Detach().ToArray<float>())), work);
        return told;
    }

    private static void Check(List<(Tensor Leaf, float[] Values)> told, string what = "")
    {
        Assert.True(told.Count == told.Select(one => one.Leaf).Distinct().Count(), $"{what}a leaf was told of twice");
        foreach (var (leaf, values) in told)
            Assert.True(values.AsSpan().SequenceEqual(leaf.Grad!.Detach().ToArray<float>()),
                $"{what}another gradient than in the end");
    }

    private static void Listen(Action<Tensor, Tensor> ready, Action work)
    {
        var execution = Execution.Current;
        execution.GradientListener = new Listener(ready);
        try
        {
            work();
        }
        finally
        {
            execution.GradientListener = null;
        }
    }

    private static Tensor Leaf(int seed) => Tensor.Randn([8, 12], new Generator((ulong)seed)).RequireGrad();

    private sealed class Listener(Action<Tensor, Tensor> ready) : IGradientListener
    {
        public void Ready(Tensor leaf, Tensor gradient) => ready(leaf, gradient);

        public void Repeats(Tensor leaf) => Assert.Fail("no recording is refused");
    }

    private sealed class LeftOnly : Op
    {
        public override string Name => "LeftOnly";
        public override string Formula => "y = a";
        public override string Derivation => "∂L/∂a = g";
        public override Saves Saves => Saves.Nothing;

        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Primitives.Copy(), inputs[0], output);

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient, null];
    }

    private sealed class Program
    {
        private readonly List<Func<IReadOnlyList<Tensor>, Tensor>> instructions = [];

        internal Program(int seed)
        {
            var random = new Random(seed);
            Parameters = [.. Enumerable.Range(0, 6).Select(i => Leaf(seed + i))];
            if (random.Next(3) == 0) Parameters[random.Next(6)].RegisterHook(gradient => gradient * 0.5);
            for (var i = 0; i < 10; i++)
            {
                var (a, b) = (random.Next(instructions.Count + 7), random.Next(instructions.Count + 7));
                instructions.Add(random.Next(8) switch
                {
                    0 => v => v[a] + v[b],
                    1 => v => v[a] * v[b],
                    2 => v => v[a].Tanh(),
                    3 => v => v[a].MatMul(v[b].Transpose()).MatMul(v[b]) * 0.01,
                    4 => v => Op.Apply(new LeftOnly(), v[a], v[b]),
                    5 => v => GradientCheckpoint.Run(x => (x * v[b]).Sigmoid() * v[a], v[a]),
                    6 => v => v[a].Slice(0, 2, 5).Sum(0, keepDims: true) * v[b],
                    _ => v => v[a] - v[b].Mean(1, keepDims: true),
                });
            }
        }

        internal Tensor[] Parameters { get; }

        internal Tensor Loss(Tensor x)
        {
            List<Tensor> values = [x, .. Parameters];
            foreach (var instruction in instructions) values.Add(instruction(values));
            return values[^3..].Aggregate((values[1] * x).Mean(), (sum, value) => sum + value.Mean());
        }

        internal void Clear()
        {
            foreach (var parameter in Parameters) parameter.ZeroGrad();
        }
    }
}
