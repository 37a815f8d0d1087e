namespace Adjoint.Data;

/// <summary>
/// Synthetic data: two features from the standard normal distribution; class 1 where xᵀ[[1, .5], [1, .2]]x = x₀² +
/// 1.5·x₀x₁ + 0.2·x₁² &gt; 0.6. The data set of the course's first experiments.
/// </summary>
public static class Synth
{
    /// <summary>Generates training and validation samples.</summary>
    /// <param name="seed">The seed; equal seeds give equal samples.</param>
    /// <param name="train">The number of training samples.</param>
    /// <param name="validation">The number of validation samples.</param>
    /// <returns>The splits, without a test split.</returns>
    public static DataSplits Create(ulong seed = 0, int train = 60_000, int validation = 10_000) =>
        new(Part("synth", new Generator(seed, 1), train), Part("synth", new Generator(seed, 2), validation), null);

    /// <summary>The class of a point.</summary>
    /// <param name="x0">The first feature of the point.</param>
    /// <param name="x1">The second feature of the point.</param>
    /// <returns>The label 0 or 1.</returns>
    public static int ClassOf(double x0, double x1) => x0 * x0 + 1.5 * x0 * x1 + 0.2 * x1 * x1 > 0.6 ? 1 : 0;

    private static Dataset Part(string name, Generator generator, int count)
    {
        var points = Tensor.Randn([count, 2], generator).ToArray<float>();
        var labels = new byte[count];
        for (var i = 0; i < count; i++) labels[i] = (byte)ClassOf(points[2 * i], points[2 * i + 1]);
        return new TensorDataset(name, (int[])[2], points, labels, ["0", "1"]);
    }
}
