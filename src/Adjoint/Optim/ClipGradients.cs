namespace Adjoint.Optim;

/// <summary>
/// Limits gradients between <c>Backward()</c> and <c>Step()</c>. A parameter that is listed twice counts once.
/// </summary>
public static class ClipGradients
{
    // Between these a sum of squares has neither overflowed nor lost what counts: of float32, and of float64.
    private const double LeastSingle = 1e-20, LeastDouble = 1e-250;

    /// <summary>
    /// Scales all gradients by limit / norm when their common 2-norm is above the limit (Pascanu et al. 2013); returns
    /// the norm before. A norm that is NaN or infinite because a gradient is leaves all gradients as they are: do not
    /// step then.
    /// </summary>
    /// <param name="parameters">Those without a gradient are skipped.</param>
    /// <param name="limit">The largest norm afterwards, 0 or more.</param>
    /// <param name="errorIfNonFinite">Whether a norm that is NaN or infinite is an error, naming the parameter.</param>
    /// <exception cref="AdjointException">
    /// The limit is negative or NaN; or the norm is not finite, and that is to be an error.
    /// </exception>
    public static double ByNorm(IEnumerable<Tensor> parameters, double limit, bool errorIfNonFinite = false)
    {
        Require(limit);
        using var _ = new NoGrad();
        var all = parameters.Distinct().ToArray();
        var clipped = all.Where(parameter => parameter.Grad is { Length: > 0 }).ToArray();
        var gradients = clipped.Select(parameter => parameter.Grad!).ToArray();
        var (root, scale) = Norm(gradients);
        var norm = root / scale;
        if (errorIfNonFinite && !double.IsFinite(norm)) throw NonFinite(all, norm);
        if (double.IsFinite(root) && norm > limit)
            foreach (var parameter in clipped)
                parameter.SetGrad(Scaled(parameter.Grad!, limit * scale / root), isOwn: true);
        return norm;
    }

    /// <summary>Limits every element of every gradient to [−limit, limit]; NaN stays NaN.</summary>
    /// <exception cref="AdjointException">The limit is negative or NaN.</exception>
    public static void ByValue(IEnumerable<Tensor> parameters, double limit)
    {
        Require(limit);
        using var _ = new NoGrad();
        foreach (var parameter in parameters.Distinct())
            if (parameter.Grad is { } gradient) parameter.SetGrad(gradient.Clamp(-limit, limit), isOwn: true);
    }

    // The norm of the gradients times a scale, and the scale: 1 where squares neither overflow nor vanish, else a power
    // of two near the inverse of the largest element.
    private static (double Root, double Scale) Norm(Tensor[] gradients)
    {
        var sum = gradients.Sum(gradient => SumOfSquares(gradient, 1));
        if (double.IsNaN(sum) || sum > LeastDouble && double.IsFinite(sum)) return (Math.Sqrt(sum), 1);
        var largest = gradients.Select(gradient => gradient.Abs().Max().Item()).DefaultIfEmpty().Max();
        if (largest == 0 || double.IsInfinity(largest)) return (largest, 1);
        var scale = Math.ScaleB(1, Math.Clamp(-Math.ILogB(largest), -1000, 1000));
        return (Math.Sqrt(gradients.Sum(gradient => SumOfSquares(gradient, scale))), scale);
    }

    private static double SumOfSquares(Tensor gradient, double scale) =>
        scale == 1 && gradient.Square().Sum().Item() is > LeastSingle and < double.PositiveInfinity and var sum
            ? sum
            : (gradient.To(DType.Float64) * scale).Square().Sum().Item();

    // A tiny factor would lose digits, or be 0, in the type of the gradient: its root, twice, does not.
    private static Tensor Scaled(Tensor gradient, double factor) => factor is 0 or > 1e-30
        ? gradient * factor
        : gradient * Math.Sqrt(factor) * Math.Sqrt(factor);

    private static AdjointException NonFinite(Tensor[] parameters, double norm)
    {
        var at = Array.FindIndex(parameters, parameter => parameter.Grad is { } gradient && !IsFinite(gradient));
        var cause = at < 0
            ? "the sum of their squares is more than float64 holds"
            : $"that of {parameters[at].Name ?? "parameter"} {parameters[at].Shape}, number {at}, has NaN or infinity";
        return new($"ClipGradients: the norm of the gradients is {norm}: {cause}; "
            + "lower the learning rate, or look for the op that made it with AnomalyMode");

        // 0 · x is 0 unless x is NaN or infinite.
        static bool IsFinite(Tensor gradient) => (gradient * 0).Sum().Item() == 0;
    }

    private static void Require(double limit)
    {
        if (!(limit >= 0)) throw new AdjointException($"ClipGradients: the limit must be 0 or more: found {limit}");
    }
}
