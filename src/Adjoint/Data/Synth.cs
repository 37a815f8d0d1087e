namespace Adjoint.Data;

/// <summary>
/// Two features from the standard normal distribution; class 1 where xᵀ[[1, .5], [1, .2]]x = x₀² + 1.5·x₀x₁ + 0.2·x₁² &gt; 0.6. Made on the spot:
/// the data set of the course's first experiments.
/// </summary>
public static class Synth
{
    /// <summary>60,000 training and 10,000 validation samples of the given seed.</summary>
    public static DataSplits Create(ulong seed = 0, int train = 60_000, int validation = 10_000) =>
        new(Part("synth", new Generator(seed, 1), train), Part("synth", new Generator(seed, 2), validation), null);

    /// <summary>The class of a point.</summary>
    public static int ClassOf(double x0, double x1) => x0 * x0 + 1.5 * x0 * x1 + 0.2 * x1 * x1 > 0.6 ? 1 : 0;

    private static Dataset Part(string name, Generator generator, int count)
    {
        var points = Tensor.Randn([count, 2], generator).ToArray<float>();
        var labels = new byte[count];
        for (var i = 0; i < count; i++) labels[i] = (byte)ClassOf(points[2 * i], points[2 * i + 1]);
        return new Dataset(name, (int[])[2], points, labels, ["0", "1"]);
    }
}
