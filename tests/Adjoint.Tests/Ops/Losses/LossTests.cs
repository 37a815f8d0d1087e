namespace Adjoint.Tests.Ops;

/// <summary>What the losses refuse, and small losses.</summary>
public class LossTests
{
    public static TheoryData<string> Losses() => ["Mse", "L1", "Huber", "BceWithLogits"];

    [Theory, MemberData(nameof(Losses))]
    public void Shapes_that_would_broadcast_are_refused_with_the_remedy(string loss)
    {
        var error = Assert.Throws<AdjointException>(() => Call(loss, Tensor.Zeros(4, 1), Tensor.Zeros(4)));
        var rule = $"{loss}: prediction and target must have one shape, nothing is broadcast: ";
        Assert.Equal($"{rule}found (4, 1) and (4,); use .Reshape(…) on one of them", error.Message);
        error = Assert.Throws<AdjointException>(() => Call(loss, Tensor.Zeros(4, 1), Tensor.Scalar(1)));
        Assert.Equal($"{rule}found (4, 1) and (); for one number as target, use .Expand(…) on it", error.Message);
        foreach (var (left, right) in ((int[], int[])[])[([4], [4, 1]), ([4], [1]), ([1], [4]), ([2, 3], [3]),
            ([], [1]), ([1, 1], [1]), ([2, 3], [2, 1]), ([0], [1])])
            Assert.Contains("must have one shape",
                Assert.Throws<AdjointException>(() => Call(loss, Tensor.Zeros(left), Tensor.Zeros(right))).Message,
                StringComparison.Ordinal);
        foreach (var shape in (int[][])[[], [1], [4], [4, 1], [2, 3]])
            Assert.True(double.IsFinite(Call(loss, Tensor.Zeros(shape), Tensor.Zeros(shape)).Item()));
    }

    [Theory, MemberData(nameof(Losses))]
    public void Targets_of_another_type_are_refused_in_the_losss_name(string loss)
    {
        foreach (var type in (DType[])[DType.Float64, DType.Int64, DType.Bool])
            Assert.Equal($"{loss}: prediction and target must have one type: found float32 and {type.Label()}; cast "
                + "one with .To(…)", Assert.Throws<AdjointException>(() =>
                    Call(loss, Tensor.Zeros(4), Tensor.Zeros(Shape.Create([4]), type))).Message);
    }

    [Fact]
    public void Labels_of_another_shape_or_type_are_refused_in_the_losss_name()
    {
        Tensor[] wrong = [Tensor.From(new long[] { 0, 1 }, 2, 1), Tensor.From(new long[] { 0 }),
            Tensor.From(new long[] { 0, 1, 2 }), Tensor.Scalar(0, DType.Int64), Tensor.From(new[] { 0f, 1 })];
        foreach (var labels in wrong)
        {
            var error = Assert.Throws<AdjointException>(() => Loss.Nll(Tensor.Zeros(2, 3), labels));
            Assert.Equal("Nll: log-probabilities (n, classes) and labels (n) int64 are needed: found (2, 3) and "
                + $"{labels.Shape} {labels.DType.Label()}; use .Reshape(…) on the labels, or cast them with "
                + ".To(DType.Int64)", error.Message);
            error = Assert.Throws<AdjointException>(() => Loss.CrossEntropy(Tensor.Zeros(2, 3), labels));
            Assert.StartsWith("CrossEntropy: ", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory, InlineData(DType.Float32), InlineData(DType.Float64)]
    public void Binary_cross_entropy_keeps_small_losses_and_their_gradients(DType dtype)
    {
        foreach (var magnitude in (double[])[0, 0.1, 1, 5, 17, 20, 40, 80])
            foreach (var (logit, target) in ((double, double)[])[(magnitude, 1), (-magnitude, 0), (magnitude, 0),
                (-magnitude, 1)])
                foreach (var createGraph in (bool[])[false, true])
                {
                    var (x, t) = (Tensor.Full([3], logit, dtype).RequireGrad(), Tensor.Full([3], target, dtype));
                    var loss = Loss.BceWithLogits(x, t, Reduction.Sum);
                    var towards = target == 1 ? -logit : logit;
                    var (value, slope) = (3 * (Math.Max(towards, 0) + LogOfOnePlus(Math.Exp(-Math.Abs(towards)))),
                        (target == 1 ? -1 : 1) / (1 + Math.Exp(-towards)));
                    var tolerance = dtype == DType.Float32 ? 1e-6 : 1e-14;
                    Assert.Equal(value, loss.Item(), tolerance * value);
                    var found = Differentiation.Gradients(loss, [x], createGraph: createGraph)[0]!;
                    Assert.Equal(slope, found.ItemAt(1), tolerance * Math.Abs(slope));
                }
        Assert.Equal(4.1399377e-8, Loss.BceWithLogits(Tensor.From(new[] { 17f }), Tensor.From(new[] { 1f })).Item(),
            1e-13);
    }

    [Fact]
    public void Binary_cross_entropy_has_a_gradient_for_its_targets()
    {
        var (x, t) = (Tensor.From(new[] { -3.0, 0, 2 }), Tensor.From(new[] { 0.2, 0.5, 1 }).RequireGrad());
        Loss.BceWithLogits(x, t, Reduction.Sum).Backward();
        Assert.Equal([3, 0, -2], t.Grad!.ToArray<double>().Select(g => Math.Round(g, 12)));
    }

    [Fact]
    public void Weights_have_gradients_too()
    {
        var generator = new Generator(3);
        Tensor Of(int[] shape) => Tensor.Rand(shape, generator, DType.Float64).Detach().RequireGrad();
        var (x, t, w) = (Of([4, 3]), Of([4, 3]), Of([4]));
        var labels = Tensor.From(new long[] { 0, 2, Loss.IgnoredLabel, 1 });
        foreach (var loss in (Func<Tensor[], Tensor>[])[one => Loss.CrossEntropy(one[0], labels, weights: one[2]),
            one => Loss.CrossEntropy(one[0], one[1], 0.1, weights: one[2]),
            one => Loss.Mse(one[0], one[1], weights: one[2]), one => Loss.BceWithLogits(one[0], one[1],
                Reduction.Sum, weights: one[2], positiveWeight: one[2][..3])])
            GradCheck.Run(loss, [x, t, w]);
    }

    [Fact]
    public void A_row_that_is_left_out_may_hold_anything()
    {
        foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.BFloat16, DType.Float16])
            foreach (var reduction in Enum.GetValues<Reduction>())
                foreach (var createGraph in (bool[])[false, true])
                {
                    var x = Tensor.From(new double[] { 1, 2, double.NaN, double.PositiveInfinity, 3, 1 }, 3, 2).To(type)
                        .Detach().RequireGrad();
                    var labels = Tensor.From(new long[] { 1, Loss.IgnoredLabel, 0 });
                    var loss = Loss.CrossEntropy(x, labels, 0, reduction).Sum();
                    var expected = (0.3132617 + 0.1269280) / (reduction == Reduction.Mean ? 2 : 1);
                    Assert.Equal(expected, loss.Item(), type is DType.Float32 or DType.Float64 ? 1e-6 : 0.005);
                    var slope = Differentiation.Gradients(loss, [x], createGraph: createGraph)[0]!.To(DType.Float64)
                        .Detach().ToArray<double>();
                    Assert.Equal([0, 0], slope[2..4]);
                    Assert.Equal(-0.2689414 / (reduction == Reduction.Mean ? 2 : 1), slope[1], 0.002);
                }
        Assert.True(double.IsNaN(Loss.CrossEntropy(Tensor.Zeros(1, 2),
            Tensor.From(new long[] { Loss.IgnoredLabel })).Item()));
    }

    // Mean losses of PyTorch 1.13: torch.nn.functional.cross_entropy and binary_cross_entropy_with_logits.
    [Fact]
    public void Published_values()
    {
        var x = Tensor.From(new[] { 1, 2, 0.5, -1, 0.25, 3 }, 2, 3);
        var t = Tensor.From(new[] { 0.2, 0.5, 0.3, 0, 0.75, 0.25 }, 2, 3);
        Assert.Equal(1.6279524927560223, Loss.CrossEntropy(x, t).Item(), 1e-12);
        Assert.Equal(1.6464941594226892, Loss.CrossEntropy(x, t, 0.1).Item(), 1e-12);
        Assert.Equal(1.0730396767158967, Loss.BceWithLogits(x, t, positiveWeight: Tensor.From(new[] { 2, 0.5, 3 }))
            .Item(), 1e-12);
        Assert.Equal(2.8290362014040995, Loss.CrossEntropy(x, Tensor.From(new long[] { -100, 1 })).Item(), 1e-12);
    }

    private static Tensor Call(string loss, Tensor prediction, Tensor target) => loss switch
    {
        "Mse" => Loss.Mse(prediction, target),
        "L1" => Loss.L1(prediction, target),
        "Huber" => Loss.Huber(prediction, target),
        _ => Loss.BceWithLogits(prediction, target),
    };

    // ln(1 + z) for 0 ≤ z ≤ 1 by Kahan's correction.
    private static double LogOfOnePlus(double z) => 1 + z == 1 ? z : Math.Log(1 + z) * (z / (1 + z - 1));
}
