using Adjoint.Data;
using MathNet.Numerics.Distributions;

namespace Adjoint.Tests.Data;

public class SampleRandomTests
{
    private const int Count = 20_000;

    [Theory]
    [InlineData(0.2, 0.2)]
    [InlineData(1, 1)]
    [InlineData(0.5, 3)]
    [InlineData(4, 4)]
    [InlineData(30, 2)]
    public void Beta_variates_follow_their_distribution(double a, double b) =>
        Follows(Draw((ref random) => random.Beta(a, b)), x => Beta.CDF(a, b, x));

    [Fact]
    public void Tiny_parameters_of_beta_give_0_or_1_and_never_NaN()
    {
        var drawn = Draw((ref random) => random.Beta(1e-4, 1e-4));
        Assert.All(drawn, x => Assert.InRange(x, 0, 1));
        Assert.InRange(drawn.Average(), 0.48, 0.52);
    }

    [Fact]
    public void Normal_variates_follow_their_distribution() =>
        Follows(Draw((ref random) => random.Normal()), x => Normal.CDF(0, 1, x));

    [Fact]
    public void Uniform_variates_follow_their_distribution() =>
        Follows(Draw((ref random) => random.Uniform(-2, 3)), x => (x + 2) / 5);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, -1)]
    [InlineData(double.NaN, 1)]
    [InlineData(1, double.PositiveInfinity)]
    public void Impossible_parameters_of_beta_are_refused(double a, double b) =>
        Assert.StartsWith("SampleRandom: the parameters of a beta distribution must be positive and finite: found ",
            Assert.Throws<AdjointException>(() => new SampleRandom(1, 0, 0, 0).Beta(a, b)).Message,
            StringComparison.Ordinal);

    private delegate double Drawing(ref SampleRandom random);

    // Half from one stream, and half the first numbers of different samples.
    private static double[] Draw(Drawing draw)
    {
        var result = new double[Count];
        var one = new SampleRandom(5, 1, 2, 3);
        for (var i = 0; i < Count; i++)
        {
            var other = new SampleRandom(5, 1, i, 3);
            result[i] = i % 2 == 0 ? draw(ref one) : draw(ref other);
        }
        return result;
    }

    // Kolmogorov's statistic is above 1.95/√n once in 1000 times; the seeds are fixed.
    private static void Follows(double[] drawn, Func<double, double> distribution)
    {
        Array.Sort(drawn);
        var largest = 0.0;
        for (var i = 0; i < drawn.Length; i++)
        {
            var expected = distribution(drawn[i]);
            largest = Math.Max(largest, Math.Max(expected - (double)i / Count, (i + 1.0) / Count - expected));
        }
        Assert.InRange(largest, 0, 1.95 / Math.Sqrt(Count));
    }
}
