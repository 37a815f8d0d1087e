using Adjoint.Kernels;
using CsCheck;

namespace Adjoint.Tests.Kernels;

/// <summary>Against seven plain loops in float64.</summary>
public unsafe class ConvolutionTests
{
    private static readonly Gen<ConvShape> Shapes =
        from groups in Gen.OneOfConst(1, 1, 1, 2, 3)
        from channels in Gen.Int[1, 9]
        from filters in Gen.Int[1, 14]
        from kernel in Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5])
        from stride in Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3])
        from pad in Gen.Select(Gen.Int[0, 5], Gen.Int[0, 5])
        from dilation in Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3])
        from size in Gen.Select(Gen.Int[1, 37], Gen.Int[1, 37])
        from samples in Gen.Int[1, 5]
        let shape = new ConvShape(
            samples, channels * groups, size.Item1, size.Item2, filters * groups, kernel.Item1, kernel.Item2,
            stride.Item1, stride.Item2, pad.Item1, pad.Item2, dilation.Item1, dilation.Item2, groups)
        where shape.Height + 2 * shape.PadHeight > shape.DilationHeight * (shape.KernelHeight - 1)
            && shape.Width + 2 * shape.PadWidth > shape.DilationWidth * (shape.KernelWidth - 1)
        select shape;

    // Of an odd number of rows the last has no partner: what lies in its place is multiplied by 0, and NaN by 0 is NaN.
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void What_an_earlier_convolution_left_in_scratch_memory_reaches_no_result(DType type)
    {
        foreach (var (kernel, filters, width) in (ReadOnlySpan<((int, int), int, int)>)
            [((3, 1), 7, 3), ((3, 3), 3, 5), ((1, 1), 16, 7), ((2, 2), 12, 3), ((5, 5), 6, 9), ((3, 3), 32, 4)])
        {
            Shape weights = (int[])[filters, 16, kernel.Item1, kernel.Item2];
            Tensor[] Results(Tensor x)
            {
                var w = Tensor.Randn(weights, new Generator(2), type).RequireGrad();
                x = x.Detach().RequireGrad();
                var y = x.Conv2d(w);
                y.Sum().Backward();
                return [y.Detach(), w.Grad!, x.Grad!];
            }

            Results(Tensor.Full([3, 16, 40, 40], double.NaN, type));
            foreach (var result in Results(Tensor.Randn([2, 16, 31, width], new Generator(1), type)))
                Assert.True(
                    double.IsFinite(result.Abs().Max().Item()), $"kernel {kernel}, width {width}: {result.Shape}");
        }
    }

    [Fact]
    public void Random_convolutions_and_their_gradients_agree_with_plain_loops_for_any_number_of_threads()
    {
        Shapes.Sample(Check, iter: IsaTiers.Fewer(200));
    }

    [Fact]
    public void Random_convolutions_of_three_by_three_agree_by_tiles()
    {
        var shapes =
            from samples in Gen.Int[1, 40]
            from channels in Gen.Int[16, 70]
            from filters in Gen.Int[16, 70]
            from size in Gen.Select(Gen.Int[1, 19], Gen.Int[1, 19])
            from pad in Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2])
            let shape = new ConvShape(
                samples, channels, size.Item1, size.Item2, filters, 3, 3, 1, 1, pad.Item1, pad.Item2, 1, 1, 1)
            where shape.OutHeight > 0 && shape.OutWidth > 0
                && (long)samples * channels * filters * size.Item1 * size.Item2 < 1_000_000
            select shape;
        shapes.Sample(Check, iter: IsaTiers.Fewer(40));
    }

    [Fact]
    public void Tiles_round_about_twice_as_much_as_a_plain_sum()
    {
        // Decision 10: what the chosen points cost. Root mean square, relative, over 64 channels of normal numbers.
        var shape = new ConvShape(2, 64, 16, 16, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1);
        var x = Tensor.Randn([2, 64, 16, 16], new Generator(1)).ToArray<float>();
        var w = Tensor.Randn([64, 64, 3, 3], new Generator(2)).ToArray<float>();
        var (exact, plain, tiled) = (new double[2 * 64 * 256], new float[2 * 64 * 256], new float[2 * 64 * 256]);
        for (var at = 0; at < exact.Length; at++)
        {
            var (n, f, i, j) = (at / (64 * 256), at / 256 % 64, at / 16 % 16, at % 16);
            for (var tap = 0; tap < 64 * 9; tap++)
            {
                var (c, row, column) = (tap / 9, i + tap / 3 % 3 - 1, j + tap % 3 - 1);
                if ((uint)row > 15 || (uint)column > 15) continue;
                var (a, b) = (x[((n * 64 + c) * 16 + row) * 16 + column], w[f * 576 + tap]);
                exact[at] += (double)a * b;
                plain[at] += a * b;
            }
        }
        fixed (float* px = x, pw = w, to = tiled) Convolution.Forward(shape, px, pw, null, to);
        double Error(float[] y) => Math.Sqrt(y.Zip(exact, (a, b) => (a - b) * (a - b)).Sum() / exact.Sum(b => b * b));
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"tiles {Error(tiled):0.0e+00}, plain sum {Error(plain):0.0e+00}");
        Assert.InRange(Error(tiled), 1e-8, 2.5 * Error(plain));
    }

    public static TheoryData<string> Known() => new()
    {
        "LeNet's first", "LeNet's second", "3x3", "one by one", "depthwise", "strided", "wide", "odd rows in pairs",
        "filters beyond the cache", "several images in a panel", "filters in lanes", "filters in lanes, odd rows",
        "rows of taps that are left over", "one row across", "one row across, in groups", "blocks of rows of tiles",
        "several blocks of images",
    };

    [Theory, MemberData(nameof(Known))]
    public void Convolutions_of_known_networks_agree(string name) => Check(name switch
    {
        "LeNet's first" => new(3, 3, 32, 32, 6, 5, 5, 1, 1, 0, 0, 1, 1, 1),
        "LeNet's second" => new(3, 6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 1, 1, 1),
        "3x3" => new(2, 64, 8, 8, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        "one by one" => new(2, 17, 9, 9, 24, 1, 1, 1, 1, 0, 0, 1, 1, 1),
        "depthwise" => new(2, 8, 12, 12, 8, 3, 3, 1, 1, 1, 1, 1, 1, 8),
        "strided" => new(2, 16, 16, 16, 32, 3, 3, 2, 2, 1, 1, 1, 1, 1),
        "odd rows in pairs" => new(3, 20, 7, 7, 25, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        // Narrower vectors never pass over several images at once.
        "filters beyond the cache" => new(IsaTiers.Width >= 256 ? 32 : 2, 70, 4, 8, 130, 3, 5, 1, 1, 1, 2, 1, 1, 1),
        "several images in a panel" => new(7, 40, 3, 3, 26, 3, 3, 1, 1, 1, 1, 1, 1, 2),
        "filters in lanes, odd rows" => new(3, 4, 15, 43, 26, 3, 5, 2, 2, 0, 0, 1, 1, 2),
        "filters in lanes" => new(11, 6, 14, 14, 30, 5, 5, 1, 1, 2, 1, 1, 1, 2),
        "rows of taps that are left over" => new(3, 5, 25, 24, 60, 3, 3, 1, 1, 1, 0, 1, 1, 1),
        "one row across" => new(3, 6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 1, 1, 1),
        "one row across, in groups" => new(3, 14, 9, 21, 12, 2, 7, 1, 1, 0, 0, 1, 1, 2),
        "blocks of rows of tiles" => new(1, 130, 30, 22, 33, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        "several blocks of images" => new(26, 40, 15, 13, 35, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        _ => new(1, 2, 3, 100, 7, 1, 9, 1, 1, 0, 4, 1, 1, 1),
    });

    // Every algorithm that supports the shape, by its name, and the choice.
    private static void Check(ConvShape shape)
    {
        var expected = ConvReference.Of(shape);
        foreach (var direction in Enum.GetValues<ConvDirection>())
        {
            foreach (var algorithm in ConvAlgorithms<float>.For(direction))
            {
                if (!algorithm.Supports(shape)) continue;
                using var forced = new ForcedConvAlgorithm(direction, algorithm.Name);
                expected.Check(direction, algorithm.Name);
            }
            expected.CheckChoice(direction);
        }
    }
}
