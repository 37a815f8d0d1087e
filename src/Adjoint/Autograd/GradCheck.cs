namespace Adjoint;

/// <summary>The outcome of comparing a derivative with finite differences.</summary>
/// <param name="MaxError">The largest |analytic − numeric| / max(1, |analytic|, |numeric|).</param>
/// <param name="Worst">Where the largest error was: input and element, or direction.</param>
/// <param name="Comparisons">The number of derivatives that were compared.</param>
/// <param name="Tolerance">The largest error that passes.</param>
public sealed record GradCheckResult(double MaxError, string Worst, int Comparisons, double Tolerance)
{
    /// <summary>Whether every comparison was within the tolerance. NaN does not pass.</summary>
    public bool Passed => MaxError <= Tolerance;
}

/// <summary>
/// Checks derivatives numerically, in float64, by central differences of φ(x) = ⟨v, f(x)⟩ with a random v: every
/// element for small inputs, random directions for large ones, so that the cost does not grow with the size.
/// </summary>
public static class GradCheck
{
    private const int ElementwiseUpTo = 256;
    private const int Directions = 8;

    /// <summary>
    /// Compares the first derivative of <paramref name="function"/> at <paramref name="inputs"/> with finite
    /// differences.
    /// </summary>
    /// <param name="function">The function; it is called many times.</param>
    /// <param name="inputs">The point at which to check; float64 inputs are varied, others stay fixed.</param>
    /// <param name="step">Half the width of the central difference.</param>
    /// <param name="tolerance">The largest relative error that passes.</param>
    /// <param name="seed">The seed of the random projection and directions.</param>
    /// <returns>The largest error, and where it was.</returns>
    public static GradCheckResult Run(Func<Tensor[], Tensor> function, Tensor[] inputs, double step = 1e-5,
        double tolerance = 1e-6, ulong seed = 1)
    {
        var leaves = Leaves(inputs);
        var output = function(leaves);
        var projection = Tensor.Randn(output.Shape, new Generator(seed), DType.Float64);
        var varied = leaves.Where(leaf => leaf.RequiresGrad).ToArray();
        var gradients = Differentiation.Gradients(output, varied, projection);
        return Compare(leaves, varied, gradients, inputs => Project(function(inputs), projection), step, tolerance,
            seed);
    }

    /// <summary>Compares the second derivative: the gradient of the gradient, along a random direction.</summary>
    /// <inheritdoc cref="Run"/>
    public static GradCheckResult RunSecondOrder(Func<Tensor[], Tensor> function, Tensor[] inputs, double step = 1e-5,
        double tolerance = 1e-5, ulong seed = 1)
    {
        var probe = Leaves(inputs);
        var output = function(probe);
        var projection = Tensor.Randn(output.Shape, new Generator(seed), DType.Float64);
        var worst = new GradCheckResult(0, "no second derivative: the gradients do not depend on the inputs", 0,
            tolerance);
        var index = -1;
        foreach (var _ in probe.Where(leaf => leaf.RequiresGrad))
        {
            index++;
            var which = index;
            Tensor? GradientOf(Tensor[] at)
            {
                var leaves = Leaves(at);
                return Differentiation.Gradients(function(leaves), [.. leaves.Where(leaf => leaf.RequiresGrad)],
                    projection, createGraph: true)[which];
            }

            var leaves = Leaves(inputs);
            var varied = leaves.Where(leaf => leaf.RequiresGrad).ToArray();
            var first = Differentiation.Gradients(function(leaves), varied, projection, createGraph: true)[which];
            if (first is not { RequiresGrad: true }) continue;
            var direction = Tensor.Randn(first.Shape, new Generator(seed + 1), DType.Float64);
            var gradients = Differentiation.Gradients(first, varied, direction, retainGraph: true);
            var result = Compare(leaves, varied, gradients, at => Project(GradientOf(at)!, direction), step, tolerance,
                seed);
            if (!(result.MaxError <= worst.MaxError) || worst.Comparisons == 0) worst = result;
        }
        return worst;
    }

    private static GradCheckResult Compare(Tensor[] leaves, Tensor[] varied, Tensor?[] gradients,
        Func<Tensor[], double> value, double step, double tolerance, ulong seed)
    {
        var (worst, where, count) = (0.0, "", 0);
        for (var i = 0; i < varied.Length; i++)
        {
            var analytic = gradients[i]?.ToArray<double>() ?? new double[varied[i].Length];
            var origin = varied[i].ToArray<double>();
            foreach (var (direction, label) in DirectionsFor(origin.Length, seed + (ulong)i))
            {
                var numeric = (At(+step) - At(-step)) / (2 * step);
                var expected = Dot(analytic, direction);
                var error = Math.Abs(expected - numeric) / Math.Max(1, Math.Max(Math.Abs(expected), Math.Abs(numeric)));
                count++;
                if (!(error <= worst)) (worst, where) =
                    (error, $"input {i}, {label}: analytic {expected:g8}, numeric {numeric:g8}");

                double At(double by)
                {
                    var moved = (double[])origin.Clone();
                    for (var j = 0; j < moved.Length; j++) moved[j] += by * direction[j];
                    var position = Array.IndexOf(leaves, varied[i]);
                    var at = (Tensor[])leaves.Clone();
                    at[position] = Tensor.Copy<double>(moved, varied[i].Shape).RequireGrad();
                    return value(at);
                }
            }
        }
        return new GradCheckResult(worst, where, count, tolerance);
    }

    private static IEnumerable<(double[] Direction, string Label)> DirectionsFor(int length, ulong seed)
    {
        if (length <= ElementwiseUpTo)
            for (var j = 0; j < length; j++)
            {
                var unit = new double[length];
                unit[j] = 1;
                yield return (unit, $"element {j}");
            }
        else
            for (var k = 0; k < Directions; k++)
                yield return (Tensor.Randn([length], new Generator(seed, (ulong)k + 1), DType.Float64)
                    .ToArray<double>(), $"direction {k}");
    }

    private static Tensor[] Leaves(Tensor[] inputs) => [.. inputs.Select(input => input.DType == DType.Float64
        ? Tensor.Copy<double>(input.ToArray<double>(), input.Shape).RequireGrad()
        : input)];

    private static double Project(Tensor output, Tensor projection) =>
        Dot(output.ToArray<double>(), projection.ToArray<double>());

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
