using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Optim;

/// <summary>
/// Limits gradients between <c>Backward()</c> and <c>Step()</c>, in place where nobody else holds their memory. A
/// parameter that is listed twice counts once.
/// </summary>
public static class ClipGradients
{
    // From here on a sum of squares has lost nothing that counts; squares of float32 are always larger, or 0.
    private const double Least = 1e-250;

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
            foreach (var parameter in clipped) Scale(parameter, limit * scale / root);
        return norm;
    }

    /// <summary>Limits every element of every gradient to [−limit, limit]; NaN stays NaN.</summary>
    /// <exception cref="AdjointException">The limit is negative or NaN.</exception>
    public static void ByValue(IEnumerable<Tensor> parameters, double limit)
    {
        Require(limit);
        using var _ = new NoGrad();
        foreach (var parameter in parameters.Distinct())
            if (parameter.Grad is not null) Change(parameter, new ClampOp.Lane(-limit, limit));
    }

    // The norm of the gradients times a scale, and the scale: 1 where squares neither overflow nor vanish, else a power
    // of two near the inverse of the largest element.
    private static (double Root, double Scale) Norm(Tensor[] gradients)
    {
        var sum = SumOfSquares(gradients, 1);
        if (double.IsNaN(sum) || sum > Least && double.IsFinite(sum)) return (Math.Sqrt(sum), 1);
        var largest = gradients.Select(gradient => gradient.Abs().Max().To(Device.Cpu).Item()).DefaultIfEmpty().Max();
        if (largest == 0 || double.IsInfinity(largest)) return (largest, 1);
        var scale = Math.ScaleB(1, Math.Clamp(-Math.ILogB(largest), -1000, 1000));
        return (Math.Sqrt(SumOfSquares(gradients, scale)), scale);
    }

    // In float64, gradient by gradient in their order; read once, at the end of a device.
    private static double SumOfSquares(Tensor[] gradients, double scale)
    {
        var total = 0.0;
        foreach (var onDevice in gradients.GroupBy(gradient => gradient.Device))
        {
            var sum = Tensor.Scalar(0, DType.Float64).To(onDevice.Key);
            foreach (var gradient in onDevice) Backend.Run(new Primitives.SquaredNorm(scale), gradient, sum);
            total += sum.To(Device.Cpu).Item();
        }
        return total;
    }

    // A tiny factor would lose digits, or be 0, in the type of the gradient: its root, twice, does not.
    private static void Scale(Tensor parameter, double factor)
    {
        var isTiny = factor is > 0 and <= 1e-30;
        var times = new AffineOp.Lane(isTiny ? Math.Sqrt(factor) : factor, AffineOp.NoShift);
        Change(parameter, times);
        if (isTiny) Change(parameter, times);
    }

    private static void Change<TLane>(Tensor parameter, TLane lane) where TLane : struct, IUnaryLane
    {
        var gradient = parameter.Grad!;
        var isInPlace = parameter.OwnsGrad && gradient.IsContiguous;
        var result = isInPlace ? gradient : Tensor.Empty(gradient.Shape, gradient.DType, gradient.Device);
        Backend.Run(new Map<TLane>(lane), gradient, result);
        if (isInPlace) gradient.BumpVersion();
        else parameter.SetGrad(result, isOwn: true);
    }

    private static AdjointException NonFinite(Tensor[] parameters, double norm)
    {
        var at = Array.FindIndex(parameters, parameter => parameter.Grad is { } gradient && !IsFinite(gradient));
        var cause = at < 0
            ? "the sum of their squares is more than float64 holds"
            : $"that of {parameters[at].Name ?? "parameter"} {parameters[at].Shape}, number {at}, has NaN or infinity";
        return new($"ClipGradients: the norm of the gradients is {norm}: {cause}; "
            + "lower the learning rate, or look for the op that made it with AnomalyMode");

        // 0 · x is 0 unless x is NaN or infinite.
        static bool IsFinite(Tensor gradient) => (gradient * 0).Sum().To(Device.Cpu).Item() == 0;
    }

    private static void Require(double limit)
    {
        if (!(limit >= 0)) throw new AdjointException($"ClipGradients: the limit must be 0 or more: found {limit}");
    }
}
