using Adjoint.Nn;

namespace Adjoint.Tests.Capture;

/// <summary>A plan's memory: what is not needed at the same time shares it, with the bits of the eager step.</summary>
public class CapturedLayoutTests
{
    private static readonly Tensor None = Tensor.Zeros(1);

    [Fact]
    public void What_backward_does_not_read_makes_room_for_what_comes_next()
    {
        // ReLU needs its result alone, so that what the normalization before it made is free as soon as it has run.
        var random = new Generator(1);
        var layers = Enumerable.Range(0, 8)
            .SelectMany(_ => (Layer[])[new Linear(64, 64, generator: random), new BatchNorm(64), new Relu()]);
        var model = new Sequential([.. layers]);
        var step = Check(x => model.Forward(x).Square().Mean(), [.. model.Parameters()], [128, 64]);
        var layout = step.Layout!;
        Assert.InRange(layout.Bytes, layout.LowerBound, layout.Sum);
        Assert.InRange(step.PlannedBytes, layout.Bytes, layout.Sum);
        // Two of three results of forward stay, and a gradient or two: of 24 and as many gradients.
        Assert.InRange(layout.LowerBound, 16 * 128 * 64 * 4, 20 * 128 * 64 * 4);
        Assert.InRange((double)layout.Bytes / layout.Sum, 0, 0.6);
    }

    [Fact]
    public void Sums_and_parts_made_in_a_step_have_the_eager_bits()
    {
        var (v, w) = (Leaf(1), Leaf(2));
        // Gradients that meet are added up in place; results in parts are written by several calls.
        Check(
            x =>
            {
                var h = x.MatMul(v);
                var total = h;
                for (var i = 0; i < 5; i++)
                {
                    total = total + (h * total).Tanh();
                    h = Tensor.Concat([total[32..], h[..32]], 0).MatMul(w);
                    var (left, right) = (h[.., ..20], h[.., 20..]);
                    h = Tensor.Concat([right.Sigmoid(), left * 2], 1) + h[..1] + total.Transpose();
                }
                return (total * h).Mean() + h[3..9].Square().Sum() + total.Softmax()[.., 5].Sum();
            },
            [v, w], [64, 64]);
    }

    [Fact]
    public void Images_pooled_padded_and_joined_have_the_eager_bits()
    {
        var random = new Generator(1);
        var first = new Conv2d(2, 8, 3, new() { Padding = 1, Generator = random });
        var second = new Conv2d(10, 8, 3, new() { Generator = random });
        Check(
            x =>
            {
                var image = x.Reshape(4, 2, 20, 20);
                var h = Tensor.Concat([first.Forward(image).Relu(), image], 1);
                var pooled = second.Forward(h).MaxPool2d(3, stride: 2, padding: 1);
                return pooled.AvgPool2d(2).Square().Mean() + h[.., ..3].Sum() * 0.01;
            },
            [.. first.Parameters(), .. second.Parameters()], [8, 400]);
    }

    // Losses and gradients of several steps, with collections and other tensors between them.
    private static CapturedStep Check(Func<Tensor, Tensor> loss, Tensor[] leaves, int[] shape)
    {
        var step = CapturedStep.Create((x, _) => loss(x), leaves);
        for (var call = 0; call < 5; call++)
        {
            var x = Tensor.Randn(Shape.Create(shape), new Generator((ulong)(10 + call)));
            var eager = loss(x);
            var gradients = Differentiation.Gradients(eager, leaves).Select(gradient => gradient!.ToArray<float>());
            var expected = gradients.Prepend([(float)eager.Item()]).ToArray();
            FreeMemory.Overwrite();
            var found = (float)step.Run(x, None).Item();
            Assert.Equal(expected, leaves.Select(leaf => leaf.Grad!.ToArray<float>()).Prepend([found]));
        }
        Assert.True(step.IsCaptured);
        return step;
    }

    private static Tensor Leaf(ulong seed) =>
        Tensor.Randn([64, 64], new Generator(seed)).Affine(0.1, 0).Detach().RequireGrad();
}
