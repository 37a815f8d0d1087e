using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class RescaleTests
{
    [Fact]
    public void Each_column_gets_its_own_scale_and_shift()
    {
        var seed = (ulong)Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        double[] mean = [14_000, -3, 0.5], deviation = [6_000, 0, 1e-3];
        var x = Tensor.Randn([5, 3, 2], new Generator(seed));
        var (values, y) = (x.ToArray<float>(), new Rescale((mean, deviation)).Forward(x).ToArray<float>());
        for (var i = 0; i < values.Length; i++)
        {
            var column = i / 2 % 3;
            var expected = values[i] * (deviation[column] > 0 ? deviation[column] : 1) + mean[column];
            Assert.Equal(expected, y[i], 2e-7 * (Math.Abs(mean[column]) + Math.Abs(expected)));
        }
    }

    [Fact]
    public void One_column_holds_for_all_axes_and_undoes_a_standardization()
    {
        var x = Tensor.From([1f, 2, 4, 8], 4);
        (double[], double[]) statistics = ([3.75], [2.5]);
        Assert.Equal(x.ToArray<float>(), new Rescale(statistics).Forward(new Standardize(statistics).Forward(x))
            .ToArray<float>());
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences()
    {
        var layer = new Rescale(([1, 2], [3, 0.5]));
        layer.To(DType.Float64);
        Assert.True(GradCheck.Run(all => layer.Forward(all[0]).Square(),
            [Tensor.Randn([4, 2], new Generator(1)).To(DType.Float64)]).Passed);
    }

    [Fact]
    public void Other_shapes_and_statistics_are_refused()
    {
        Refuses("Rescale: an input (n, 2, …) is needed: found (3,)", () => new Rescale(2).Forward(Tensor.Zeros(3)));
        Refuses("Rescale: as many means as deviations", () => _ = new Rescale(([1], [])));
        Refuses("found NaN and 1 for column or channel 0", () => _ = new Rescale(([double.NaN], [1])));

        static void Refuses(string message, Action action) => Assert.Contains(
            message, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);
    }
}
