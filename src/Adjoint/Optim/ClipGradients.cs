using Adjoint.Primitives;

namespace Adjoint.Optim;

/// <summary>
/// Clips gradients between <c>Backward()</c> and <c>Step()</c>, in place where nothing else holds their memory. A
/// parameter that is listed twice counts once.
/// </summary>
public static class ClipGradients
{
    /// <summary>
    /// Scales all gradients by limit / norm if their common 2-norm is above the limit (Pascanu et al. 2013). If the
    /// norm is NaN or infinite because a gradient is, all gradients stay as they are: do not step then.
    /// </summary>
    /// <param name="parameters">The parameters; those without a gradient are skipped.</param>
    /// <param name="maxNorm">The largest norm afterwards, 0 or more.</param>
    /// <param name="errorIfNonFinite">Whether a norm that is NaN or infinite throws, naming the parameter.</param>
    /// <returns>The norm before, a float64 scalar: read it with <c>.Item()</c>, outside captured functions.</returns>
    /// <exception cref="AdjointException">
    /// The limit is negative or NaN; or the norm is not finite, and <paramref name="errorIfNonFinite"/> is set.
    /// </exception>
    public static Tensor ByNorm(IEnumerable<Tensor> parameters, double maxNorm, bool errorIfNonFinite = false)
    {
        Require(maxNorm);
        using var _ = new NoGrad();
        var all = parameters.Distinct().ToArray();
        var clipped = all.Where(parameter => parameter.Grad is { Length: > 0 }).ToArray();
        // In float64, gradient by gradient in their order, device by device.
        var sum = Tensor.Zeros([2], DType.Float64).Clone();
        foreach (var onDevice in clipped.GroupBy(parameter => parameter.Device))
        {
            sum = sum.To(onDevice.Key);
            foreach (var parameter in onDevice) Backend.Run(new SquaredNorm(), parameter.Grad, sum);
        }
        sum = sum.To(Device.Cpu);
        var norm = Tensor.Empty(default, DType.Float64, Device.Cpu);
        Backend.Run(new RootOfSquares(), sum, norm);
        if (errorIfNonFinite && !double.IsFinite(norm.Item())) throw NonFinite(all, norm.Item());
        foreach (var onDevice in clipped.GroupBy(parameter => parameter.Device))
        {
            sum = sum.To(onDevice.Key);
            foreach (var parameter in onDevice)
                Change(parameter, (gradient, result) => Backend.Run(new ClipToNorm(maxNorm), gradient, sum, result));
        }
        return norm;
    }

    /// <summary>Clamps every element of every gradient to [−limit, limit]; NaN stays NaN.</summary>
    /// <param name="parameters">The parameters; those without a gradient are skipped.</param>
    /// <param name="clipValue">The largest magnitude of an element, 0 or more.</param>
    /// <exception cref="AdjointException">The limit is negative or NaN.</exception>
    public static void ByValue(IEnumerable<Tensor> parameters, double clipValue)
    {
        Require(clipValue);
        using var _ = new NoGrad();
        foreach (var parameter in parameters.Distinct())
            if (parameter.Grad is not null)
                Change(parameter, (gradient, result) =>
                    Backend.Run(new Map<ClampOp.Operator>(new(-clipValue, clipValue)), gradient, result));
    }

    private static void Change(Tensor parameter, Action<Tensor, Tensor> rule)
    {
        var gradient = parameter.Grad!;
        var isInPlace = parameter.OwnsGrad && gradient.IsContiguous;
        var result = isInPlace ? gradient : Tensor.Empty(gradient.Shape, gradient.DType, gradient.Device);
        rule(gradient.Contiguous(), result);
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
