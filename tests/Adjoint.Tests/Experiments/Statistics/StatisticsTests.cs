using Adjoint.Experiments;

namespace Adjoint.Tests.Experiments;

/// <summary>Against worked examples that others published.</summary>
public class StatisticsTests
{
    // Cushny and Peebles (1905), hours of sleep gained with two drugs, as Student (1908) used them; R's data set
    // `sleep` and the output of its t.test.
    private static readonly double[] Drug1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    private static readonly double[] Drug2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

    [Fact]
    public void Welch_as_in_R()
    {
        var test = TTest.Welch(Sample.Of(Drug1), Sample.Of(Drug2));
        Assert.Equal((-1.8608, 17.776, 0.07939),
            (Math.Round(test.T, 4), Math.Round(test.DegreesOfFreedom, 3), Math.Round(test.P, 5)));
        Assert.Equal(-3.3654832, test.Interval().Low, 1e-7);
        Assert.Equal(0.2054832, test.Interval().High, 1e-7);
    }

    [Fact]
    public void Pairs_as_in_R()
    {
        var test = TTest.Paired(Drug1, Drug2);
        Assert.Equal((-4.0621, 9, 0.002833), (Math.Round(test.T, 4), test.DegreesOfFreedom, Math.Round(test.P, 6)));
        Assert.Equal(-2.4598858, test.Interval().Low, 1e-7);
        Assert.Equal(-0.7001142, test.Interval().High, 1e-7);
    }

    // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.3, miles per gallon of US and Japanese cars, unequal
    // variances.
    [Fact]
    public void Welch_as_in_the_NIST_handbook()
    {
        var test = TTest.Welch(new(249, 20.14458, 6.41470), new(79, 30.48101, 6.10771));
        Assert.Equal(-12.94627, test.T, 1e-4);
        Assert.Equal(136.8750, test.DegreesOfFreedom, 1e-3);
    }

    // The same handbook, 1.3.5.2, heat flow meter: N = 195, mean 9.261460, deviation 0.022789.
    [Fact]
    public void Confidence_interval_as_in_the_NIST_handbook()
    {
        var (low, high) = new Sample(195, 9.261460, 0.022789).MeanInterval();
        // Mean and deviation are rounded there.
        Assert.Equal(9.258242, low, 2e-6);
        Assert.Equal(9.264679, high, 2e-6);
    }

    // The same handbook, 7.4.3.3 and 7.4.3.4: three levels, five values each.
    [Fact]
    public void Analysis_of_variance_as_in_the_NIST_handbook()
    {
        var anova = Anova.Of([[6.9, 5.4, 5.8, 4.6, 4.0], [8.3, 6.8, 7.8, 9.2, 6.5], [8.0, 10.5, 8.1, 6.9, 9.3]]);
        Assert.Equal((27.897, 17.452), (Math.Round(anova.Between, 3), Math.Round(anova.Within, 3)));
        Assert.Equal((9.59, 0.00325), (Math.Round(anova.F, 2), Math.Round(anova.P, 5)));
    }

    // Dobson (1983), R's data set PlantGrowth and the output of its anova(lm(weight ~ group)).
    [Fact]
    public void Analysis_of_variance_as_in_R()
    {
        var anova = Anova.Of([
            [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14],
            [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69],
            [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]]);
        Assert.Equal((4.8461, 0.01591), (Math.Round(anova.F, 4), Math.Round(anova.P, 5)));
        // ω² = (SSb − 2·MSw) / (SSt + MSw), from the same table: 3.7663, 10.4921, 0.3886.
        Assert.Equal((3.7663 - 2 * 0.3886) / (3.7663 + 10.4921 + 0.3886), anova.OmegaSquared, 1e-3);
    }

    // R's documentation of p.adjust: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
    [Fact]
    public void Holm_as_in_R()
    {
        Assert.Equal([0.03, 0.06, 0.06, 0.02], Holm.Adjust([0.01, 0.04, 0.03, 0.005]).Select(p => Math.Round(p, 10)));
        Assert.Equal([0.02, double.NaN, 1], Holm.Adjust([0.01, double.NaN, 1]));
        Assert.Empty(Holm.Adjust([]));
    }

    // Borenstein, Hedges, Higgins and Rothstein (2009), Introduction to Meta-Analysis, chapter 4: d = 0.5970, J =
    // 0.9923, g = 0.5924.
    [Fact]
    public void Effect_size_as_in_Borenstein_et_al() =>
        Assert.Equal(0.5924, EffectSize.OfTwo(new(50, 103, 5.5), new(50, 100, 4.5)), 1e-4);

    // Cohen (1992), A Power Primer, table 2: seeds of each of two groups for power .80 at α = .05 , medium and large
    // effects.
    [Theory]
    [InlineData(0.5, 64)]
    [InlineData(0.8, 26)]
    public void Numbers_needed_as_in_Cohen(double effect, int seeds) =>
        Assert.Equal(seeds, Power.SeedsOfGroups(effect));

    // The documentation of R's power.t.test: n = 20, delta = 1 gives power = 0.8689528; power = .90, delta = 1 gives n
    // = 22.02110.
    [Fact]
    public void Power_as_in_R()
    {
        Assert.Equal(0.8689528, Power.OfTwo(1, 20), 1e-6);
        Assert.Equal(23, Power.SeedsOfGroups(1, 0.9));
    }

    // δ = 0 is Student's t, for every freedom: t tables, P(T ≤ 2.776) = 0.975 for ν = 4; and few degrees of freedom,
    // where f is far from normal.
    [Theory]
    [InlineData(12.7062047, 1)]
    [InlineData(4.3026527, 2)]
    [InlineData(2.7764451, 4)]
    [InlineData(1.9842172, 99)]
    public void Without_an_effect_the_noncentral_distribution_is_Students(double t, double freedom) =>
        Assert.Equal(0.975, Power.NoncentralT(t, freedom, 0), 1e-6);

    [Fact]
    public void Two_one_sided_tests_agree_with_the_interval_of_90_percent()
    {
        // By definition: equivalent at 5 % exactly where the 90 % interval lies within the margin.
        var test = TTest.Paired(Drug1, Drug2);
        var reach = Math.Max(Math.Abs(test.Interval(0.9).Low), Math.Abs(test.Interval(0.9).High));
        Assert.Equal(0.05, Equivalence.P(test, reach), 1e-6);
        Assert.True(Equivalence.P(test, reach * 1.1) < 0.05);
    }

    [Fact]
    public void Too_few_values_or_none_that_spread_say_nothing()
    {
        Assert.True(double.IsNaN(TTest.One(Sample.Of([1.0])).P));
        Assert.True(double.IsNaN(TTest.Paired([1, 1, 1], [0, 0, 0]).P));
        Assert.True(double.IsNaN(Sample.Of([1.0]).MeanInterval().Low));
        Assert.True(double.IsNaN(Anova.Of([[1, 1], [2, 2]]).P));
        Assert.Null(Power.SeedsOfPairs(0));
        Assert.Null(Power.SeedsOfPairs(double.NaN));
        Assert.Throws<AdjointException>(() => TTest.Paired([1, 2], [1]));
    }

    // Three seeds with 4,817 of 5,000 right each, as figure 1 had them: 100 · 0.9634 · 3 / 3 is not 96.34 in binary.
    [Fact]
    public void Equal_values_do_not_spread_by_their_rounding()
    {
        double[] equal = [100 * 0.9634, 100 * 0.9634, 100 * 0.9634];
        Assert.Equal(0, Sample.Of(equal).Deviation);
        Assert.True(double.IsNaN(TTest.One(Sample.Of(equal), 93).P));
        // Pairs one apart on paper.
        Assert.True(
            double.IsNaN(TTest.Paired([100 * 0.92, 100 * 0.93, 100 * 0.57], [100 * 0.91, 100 * 0.92, 100 * 0.56]).P));
        Assert.True(double.IsNaN(Anova.Of([equal, [100 * 0.57, 100 * 0.57, 100 * 0.57]]).P));
    }

    // Anscombe (1973), first of the four sets: y = 3.00 + 0.500 x.
    [Fact]
    public void Slope_as_in_Anscombe() =>
        Assert.Equal(
        0.5, Trend.Slope([10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5],
            [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]), 1e-3);

    // Newcombe (1998), Statistics in Medicine 17, 857–872, table I, method 3; and counts at the ends, where an accuracy
    // of all or none lies.
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0.0000, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    [InlineData(20, 20, 0.8389, 1.0000)]
    public void Interval_of_a_share_as_in_Newcombe(int right, int count, double low, double high)
    {
        var interval = Proportion.Interval(right, count);
        Assert.Equal((low, high), (Math.Round(interval.Low, 4), Math.Round(interval.High, 4)));
        Assert.InRange(interval.Low, 0, (double)right / count);
        Assert.InRange(interval.High, (double)right / count, 1);
        Assert.True(double.IsNaN(Proportion.Interval(0, 0).Low));
    }
}
