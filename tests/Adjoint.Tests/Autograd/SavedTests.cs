namespace Adjoint.Tests.Autograd;

/// <summary>What ops allocate for themselves goes back as soon as nobody can read it any more.</summary>
public class SavedTests
{
    private static readonly float[] Grid = Tensor.Randn([1, 1, 96, 96], new Generator(1)).ToArray<float>();

    [Fact]
    public void What_an_op_saved_goes_back_when_its_node_is_gone_through_and_results_stay()
    {
        var (x, pooled) = Pooled();
        var saved = pooled.Source!.Saved[0];
        Assert.True(saved.Storage.IsPooled);
        pooled.Sum().Backward();
        Assert.True(saved.IsReleased);
        var error = Assert.Throws<AdjointException>(() => saved.ToArray<bool>());
        Assert.Contains("saved it for Backward()", error.Message, StringComparison.Ordinal);
        Assert.Equal(ExpectedGradient(1), x.Grad!.ToArray<float>());
        Assert.Equal(Windows().Select(window => window.Max(at => Grid[at])), pooled.ToArray<float>());
        Assert.Contains("already used", Assert.Throws<AdjointException>(() => pooled.Sum().Backward()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_retained_graph_keeps_what_its_ops_saved()
    {
        var (x, pooled) = Pooled();
        var (saved, loss) = (pooled.Source!.Saved[0], pooled.Sum());
        loss.Backward(retainGraph: true);
        Differentiation.Gradients(loss, [x], createGraph: true);
        Assert.False(saved.IsReleased);
        loss.Backward();
        Assert.Equal(ExpectedGradient(2), x.Grad!.ToArray<float>());
        Assert.True(saved.IsReleased);

        (x, pooled) = Pooled();
        saved = pooled.Source!.Saved[0].Keep();
        pooled.Sum().Backward();
        Assert.Equal(2 * 48 * 48, saved.ToArray<bool>().Length);
    }

    [Fact]
    public void Hooks_retained_gradients_and_leaves_hold_what_was_a_saved_tensor()
    {
        // The gradient is the saved tensor itself, a view of it, or goes on to another node; CrossEntropy prepares its.
        foreach (var isView in (bool[])[false, true])
        {
            var x = Tensor.Full([80, 80], 2).RequireGrad();
            var (seen, hooked) = (new List<Tensor>(), x * 3);
            hooked.RetainGrad();
            hooked.RegisterHook(gradient =>
            {
                seen.Add(gradient);
                return null;
            });
            var leaf = Tensor.Full([80, 80], 5).RequireGrad();
            (Op.Apply(new Doubles(isView), hooked) + Op.Apply(new Doubles(isView), leaf)).Sum().Backward();
            Tensor.Ones(80, 80).RequireGrad().Square().Sum().Backward();
            var found = new[] { (seen[0], 2f), (hooked.Grad!, 2f), (x.Grad!, 6f), (leaf.Grad!, 2f) };
            foreach (var (tensor, value) in found)
                Assert.All(tensor.ToArray<float>(), element => Assert.Equal(value, element));
        }
        var logits = Tensor.Zeros(64, 32).RequireGrad();
        var scaled = (logits * 1).RetainGrad();
        var loss = Loss.CrossEntropy(scaled, Tensor.From(new long[64]));
        loss.Backward();
        var expected = Enumerable.Range(0, 64 * 32).Select(i => (1 / 32.0 - (i % 32 == 0 ? 1 : 0)) / 64).ToArray();
        foreach (var gradient in (Tensor[])[scaled.Grad!, logits.Grad!])
            Assert.All(gradient.ToArray<float>().Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-7));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_an_op_allocated_and_did_not_save_goes_back_after_forward(bool isRecorded)
    {
        var (op, x) = (new Doubles(isView: false), Tensor.Ones(80, 80).RequireGrad(isRecorded));
        var y = Op.Apply(op, x);
        Assert.All(y.ToArray<float>(), element => Assert.Equal(2, element));
        Assert.True(op.Scratch!.IsReleased);
        Assert.Contains("context.Save", Assert.Throws<AdjointException>(() => op.Scratch.ToArray<float>()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Contiguous_copies_for_one_operation_go_back_when_it_is_done()
    {
        var (a, b) = (Tensor.Randn([80, 2, 80], new Generator(1)), Tensor.Randn([80, 80], new Generator(2)));
        var (spread, image) = (a.Transpose(0, 2), Tensor.Randn([8, 6, 20, 20], new Generator(3)).Transpose(2, 3));
        Func<Tensor>[] calls =
        [
            () => spread.MatMul(spread.Transpose(1, 2)), () => b.Transpose().Exp(), () => b.Transpose().Softmax(),
            () => spread.Sum(0), () => image.MaxPool2d(2), () => a.Transpose(0, 1).IndexSelect(0, Tensor.From([1L, 0])),
            () => Tensor.Concat([b.Transpose(), b], 0), () => image.Conv2d(Tensor.Ones(2, 6, 3, 3)),
        ];
        foreach (var call in calls)
        {
            var made = new List<Adjoint.Memory.Storage>();
            Execution.Current.Allocated = made;
            try
            {
                var result = call();
                Assert.All(made, storage =>
                    Assert.True(storage == result.Storage || storage.IsReleased || !storage.IsPooled));
            }
            finally
            {
                Execution.Current.Allocated = null;
            }
        }
    }

    private static (Tensor X, Tensor Y) Pooled()
    {
        var x = Tensor.From(Grid, 1, 1, 96, 96).RequireGrad();
        // A byte is saved for each result: enough of them that they are pooled.
        var y = x.Expand(2, 1, 96, 96).MaxPool2d(2);
        return (x, y);
    }

    private static int[][] Windows() =>
    [
        .. from copy in Enumerable.Range(0, 2)
           from i in Enumerable.Range(0, 48)
           from j in Enumerable.Range(0, 48)
           let at = 2 * i * 96 + 2 * j
           select new[] { at, at + 1, at + 96, at + 97 },
    ];

    private static float[] ExpectedGradient(int times)
    {
        var gradient = new float[96 * 96];
        foreach (var window in Windows()) gradient[window.MaxBy(at => Grid[at])] += times;
        return gradient;
    }

    // y = 2x, by way of a scratch tensor; saves the gradient, which is right for g = 1.
    private sealed class Doubles(bool isView) : Op
    {
        public override string Name => "Doubles";
        public override string Formula => "y = 2x";
        public override string Derivation => "∂L/∂x = 2g";
        public override Saves Saves => Saves.Nothing;
        internal Tensor? Scratch { get; private set; }
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
        {
            Scratch = context.Allocate(output.Shape, output.DType);
            Backend.Run(new Primitives.Copy(), inputs[0], Scratch);
            Backend.Run(new Primitives.Zip<Accumulate.Operator>(), Scratch, inputs[0], output);
            var slope = context.Allocate([isView ? 2 * output.Length : output.Length], output.DType);
            Backend.Run(new Primitives.Fill(2), slope);
            context.Save(slope);
        }

        public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
            [node.Saved[0].Slice(0, 0, node.Output.Length).Reshape(node.Output.Shape.Sizes)];
    }
}
