using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Capture;

/// <summary>Gradients of a captured step are the eager ones, whatever was done to them between calls.</summary>
public class CapturedGradientTests
{
    private static readonly Tensor None = Tensor.Zeros(1);

    [Fact]
    public void Leaves_that_were_not_asked_for_get_no_gradient_from_a_captured_step()
    {
        // The ordinary loop of a generative adversarial network: the discriminator learns eagerly, the generator from a
        // captured step.
        float[] Train(bool captured, out double disturbed)
        {
            var g = new Mlp(16, [64], 64, "relu", new Generator(1));
            var d = new Mlp(64, [64], 1, "relu", new Generator(2));
            var (ofG, ofD) = (new Adam(g.Parameters(), 0.01), new Adam(d.Parameters(), 0.01));
            Tensor Fooled(Tensor noise, Tensor ones) => Loss.BceWithLogits(d.Forward(g.Forward(noise)), ones);
            var step = CapturedStep.Create(Fooled, g.Parameters());
            var (ones, zeros) = (Tensor.Ones(32, 1), Tensor.Zeros(32, 1));
            var losses = new List<float>();
            disturbed = 0;
            for (var i = 0; i < 12; i++)
            {
                var real = Tensor.Randn([32, 64], new Generator(7, (ulong)i));
                var noise = Tensor.Randn([32, 16], new Generator(8, (ulong)i));
                ofD.ZeroGrad();
                var made = Loss.BceWithLogits(d.Forward(g.Forward(noise).Detach()), zeros);
                (Loss.BceWithLogits(d.Forward(real), ones) + made).Backward();
                ofD.Step();
                var before = d.Parameters().Select(parameter => parameter.Grad!.ToArray<float>()).ToArray();
                if (captured) losses.Add((float)step.Run(noise, ones).Item());
                else
                {
                    ofG.ZeroGrad();
                    var fooled = Fooled(noise, ones);
                    var leaves = g.Parameters().ToArray();
                    foreach (var (leaf, gradient) in leaves.Zip(Differentiation.Gradients(fooled, leaves)))
                        leaf.Grad = gradient;
                    losses.Add((float)fooled.Item());
                }
                Assert.Equal(before, d.Parameters().Select(parameter => parameter.Grad!.ToArray<float>()));
                ofG.Step();
                ofD.ZeroGrad();
                var untouched = Enumerable.Range(0, 12).Select(_ => Tensor.Full([64, 64], 7.0)).ToArray();
                if (captured) step.Run(noise, ones);
                disturbed += untouched.Sum(tensor => tensor.ToArray<float>().Count(value => value != 7));
                Assert.All(d.Parameters(), parameter => Assert.Null(parameter.Grad));
            }
            Assert.Equal(captured, step.IsCaptured);
            var parameters = g.Parameters().Concat(d.Parameters());
            return [.. losses, .. parameters.SelectMany(parameter => parameter.ToArray<float>())];
        }

        var eager = Train(false, out _);
        Assert.Equal(eager, Train(true, out var disturbed));
        Assert.Equal(0, disturbed);
    }

    [Fact]
    public void Gradients_are_right_whatever_was_done_to_them_between_calls()
    {
        var (v, w, unused) = (Leaf(1), Leaf(2), Leaf(3));
        var x = Tensor.Randn([64, 64], new Generator(3));
        Tensor First(Tensor input) => input.MatMul(v).MatMul(w).Mean();
        Tensor Second(Tensor input) => (input * v * v).Sum();
        var first = CapturedStep.Create((input, _) => First(input), [v, w, unused, v]);
        var second = CapturedStep.Create((input, _) => Second(input), [v]);
        var ofFirst = Differentiation.Gradients(First(x), [v, w]);
        var ofSecond = Differentiation.Gradients(Second(x), [v]);
        static void Check(Tensor parameter, Tensor? expected) =>
            Assert.Equal(expected!.ToArray<float>(), parameter.Grad!.ToArray<float>());
        Action[] between =
        [
            () => { }, v.ZeroGrad, () => v.Grad = null, () => v.Grad = Tensor.Ones(64, 64),
            () => v.Grad = v.Grad!.Transpose().Contiguous(), () => (v * 3).Sum().Backward(),
            () => unused.Sum().Backward(),
            () => v.Grad!.Fill(0), FreeMemory.Overwrite, () => ClipGradients.ByNorm([v, w], 1e-3),
        ];
        foreach (var act in between.Concat(between))
        {
            first.Run(x, None);
            Check(v, ofFirst[0]);
            Check(w, ofFirst[1]);
            Assert.Null(unused.Grad);
            act();
            second.Run(x, None);
            Check(v, ofSecond[0]);
            act();
        }
        Assert.True(first.IsCaptured && second.IsCaptured);
        // An eager loss adds to what a replay left, as it does to any gradient.
        second.Run(x, None);
        (v * 3).Sum().Backward();
        Assert.Equal(ofSecond[0]!.ToArray<float>().Select(value => value + 3), v.Grad!.ToArray<float>());
    }

    [Fact]
    public void A_gradient_of_plain_numbers_is_right_whatever_was_done_to_it_between_calls()
    {
        var w = Leaf(1);
        var step = CapturedStep.Create((input, _) => Op.Apply(new PlainSlope(), w) + input.Sum(), [w]);
        foreach (var act in (Action[])[() => ClipGradients.ByValue([w], 0.5), () => w.Grad!.Fill(0),
            () => (w * 3).Sum().Backward(), () => ClipGradients.ByNorm([w], 1), () => { }])
        {
            step.Run(Tensor.Zeros(64, 64), None);
            Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
            act();
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_gradient_of_another_leaf_that_was_replaced_is_seen()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var step = CapturedStep.Create((x, _) => (x * w * v.Grad!).Mean(), [w]);
        foreach (var factor in (int[])[2, 2, 2, 3, 3, 4, 5])
        {
            if (factor == 4) v.ZeroGrad();
            v.Grad = null;
            (v * factor).Sum().Backward();
            Assert.Equal(factor, step.Run(Tensor.Ones(64, 64), None).Item());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_gradient_of_the_replay_before_may_be_an_input()
    {
        // That of v is written before that of w reads the input.
        float[] Run(bool captured)
        {
            var (w, v) = (Leaf(1), Leaf(2));
            Tensor Loss(Tensor x, Tensor y) => ((x.MatMul(w) * 0.02).Tanh().MatMul(v).Tanh() * y).Sum();
            var step = CapturedStep.Create(Loss, [w, v]);
            var found = new List<float>();
            for (var call = 0; call < 7; call++)
            {
                var isOwn = call is 3 or 5;
                var (x, y) = (isOwn ? v.Grad! : Leaf(3).Detach(), call == 6 ? v.Grad! : Leaf(4).Detach());
                // Clearing gradients recycles them.
                if (!captured) (x, y) = (x.Clone(), y.Clone());
                if (captured) found.Add((float)step.Run(x, y).Item());
                else
                {
                    w.ZeroGrad();
                    v.ZeroGrad();
                    var loss = Loss(x, y);
                    loss.Backward();
                    found.Add((float)loss.Item());
                }
                found.AddRange([.. w.Grad!.ToArray<float>(), .. v.Grad!.ToArray<float>()]);
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. found];
        }

        Assert.Equal(Run(captured: false), Run(captured: true));
    }

    private static Tensor Leaf(ulong seed) => Tensor.Randn([64, 64], new Generator(seed)).RequireGrad();

    // A user's op whose gradient is made of plain numbers.
    private sealed class PlainSlope : Op
    {
        public override string Name => "PlainSlope";
        public override string Formula => "y = Σ 2x";
        public override string Derivation => "∂L/∂x = 2";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(default, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Primitives.Fill(2), output);

        public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
            [Tensor.From(Enumerable.Repeat(2f, node.Inputs[0].Length).ToArray(), 64, 64)];
    }
}
