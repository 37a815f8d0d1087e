using Adjoint.Nn;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Against PyTorch 1.13.1 (Debian's python3-torch) in float64. Inputs are sin(0.7·i + seed) for the i-th element; of
/// the output y the shape is compared, Σ yᵢ·cos(i) and Σ yᵢ².
/// </summary>
public class PyTorchTests
{
    public static TheoryData<string, int[], double, double> Ops() => new()
    {
        { "interpolate bilinear, taller and narrower", [1, 1, 5, 2], 0.965504857161, 3.37153811187 },
        { "interpolate bilinear, lower and wider", [1, 1, 2, 7], 0.550702846999, 1.24218133578 },
        { "interpolate nearest", [1, 1, 3, 5], 0.155510119505, 7.48456852836 },
        { "pad reflect", [1, 1, 6, 7], -0.364264058134, 20.9651756185 },
        { "adaptive_avg_pool2d", [1, 1, 3, 5], 0.747881436437, 1.77573908246 },
        { "avg_pool2d ceil", [1, 1, 4, 3], -0.241334550087, 0.366014181098 },
        { "avg_pool2d ceil, oblong", [1, 1, 2, 4], 0.25975831582, 0.609830786066 },
        { "conv_transpose2d", [1, 2, 5, 11], 3.73189645964, 59.3140581695 },
        { "conv1d", [1, 4, 4], -1.79192348188, 18.7629923643 },
    };

    [Theory, MemberData(nameof(Ops))]
    public void Ops_agree_with_those_of_the_same_name(string name, int[] shape, double weighted, double squares)
    {
        var x = Wave(1, 1, 1, 4, 3);
        var y = name switch
        {
            "interpolate bilinear, taller and narrower" => x.InterpolateBilinear((5, 2)),
            "interpolate bilinear, lower and wider" => x.InterpolateBilinear((2, 7)),
            "interpolate nearest" => x.InterpolateNearest((3, 5)),
            "pad reflect" => x.PadReflect((1, 2)),
            "adaptive_avg_pool2d" => x.AdaptiveAvgPool2d((3, 5)),
            "avg_pool2d ceil" => Wave(2, 1, 1, 6, 5).AvgPool2d(3, 2, 1, ceilMode: true),
            "avg_pool2d ceil, oblong" => Wave(2, 1, 1, 5, 6).AvgPool2d((2, 3), (3, 2), (0, 1), ceilMode: true),
            "conv_transpose2d" =>
                Wave(1, 1, 4, 2, 3).ConvTranspose2d(Wave(2, 4, 1, 2, 3), Wave(3, 2), stride: (2, 3), padding: (1, 0),
                    outputPadding: (1, 2), dilation: (3, 1), groups: 2),
            _ => Wave(1, 1, 4, 9).Conv1d(Wave(2, 4, 2, 3), Wave(3, 4), stride: 2, padding: 1, dilation: 2, groups: 2),
        };
        Assert.Equal((Shape)shape, y.Shape);
        Compare(weighted, squares, y.ToArray<double>(), 1e-10);
    }

    /// <summary>
    /// The k-th parameter is sin(0.7·i + k), times √(2 / fan-in) where it has several axes, else times 0.1, plus 1
    /// where it is a norm's scale; two images with seed 5, labels 3 and 7, label smoothing 0.1. Numbers: as above of
    /// the logits, the loss, the 2-norm of each parameter's gradient.
    /// </summary>
    [Fact]
    public void The_tutorials_network_has_its_logits_loss_and_gradients() =>
        CheckNetwork(new LeNetCifar(generator: new Generator(1)), 32, 0.108185177799, 1.63980172878, 2.411979104,
        [0.041727374, 0.0011934272, 0.080024622, 0.0073655005, 0.44455325, 0.066559672, 0.21649333, 0.26938076,
            1.0690901, 0.59324936]);

    [Fact]
    public void A_residual_network_has_its_logits_loss_gradients_and_running_statistics()
    {
        var model = new CifarResNet(8, width: 4, generator: new Generator(1));
        CheckNetwork(model, 16, -1.60980628216, 2.1191081798, 2.492443944,
        [
            0.29848078, 0.21020774, 0.19775644, 0.085262254, 0.0022569304, 0.029462831, 0.1747844, 0.21691476,
                0.20250448, 0.071011315, 0.0070251396, 0.051081352,
            0.26698306, 0.21943802, 0.39049155, 0.084293635, 0.0085862183, 0.021560179, 0.19202457, 0.36118503,
                0.61666912, 1.9651662, 0.60550028,
        ]);
        // In use, after one batch with momentum 0.1.
        Compare(0.918180818319, 115.258526338,
            [.. model.Eval().Forward(Wave(5, 2, 3, 16, 16).To(DType.Float32)).ToArray<float>()
                .Select(value => (double)value)], 1e-4);
    }

    private static void CheckNetwork(
        Layer model, int side, double weighted, double squares, double expectedLoss, double[] norms)
    {
        var seed = 0;
        foreach (var (name, parameter) in model.NamedParameters())
        {
            var values = Wave(seed++, [.. parameter.Shape.Sizes]).ToArray<double>();
            var (scale, shift) = parameter.Rank > 1
                ? (Math.Sqrt(2.0 / (parameter.Length / parameter.Shape[0])), 0)
                : (0.1, name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
            parameter.CopyFrom<float>([.. values.Select(value => (float)(value * scale + shift))]);
        }
        var logits = model.Forward(Wave(5, 2, 3, side, side).To(DType.Float32));
        Compare(weighted, squares, [.. logits.ToArray<float>().Select(value => (double)value)], 1e-4);
        var loss = Loss.CrossEntropy(logits, Tensor.From(new long[] { 3, 7 }), 0.1);
        Assert.Equal(expectedLoss, loss.Item(), 1e-5);
        loss.Backward();
        var found = model.Parameters()
            .Select(parameter => Math.Sqrt(parameter.Grad!.ToArray<float>().Sum(g => (double)g * g))).ToArray();
        Assert.Equal(norms.Length, found.Length);
        foreach (var (expected, norm) in norms.Zip(found)) Assert.Equal(expected, norm, 1e-3 * expected + 1e-5);
    }

    private static void Compare(double weighted, double squares, double[] y, double tolerance)
    {
        Assert.Equal(weighted, y.Select((value, i) => value * Math.Cos(i)).Sum(), tolerance * (1 + Math.Abs(weighted)));
        Assert.Equal(squares, y.Sum(value => value * value), tolerance * (1 + squares));
    }

    private static Tensor Wave(int seed, params int[] shape)
    {
        double[] values = [.. Enumerable.Range(0, ((Shape)shape).Elements).Select(i => Math.Sin(i * 0.7 + seed))];
        return Tensor.From((ReadOnlySpan<double>)values, shape);
    }
}
