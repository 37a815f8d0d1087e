namespace Adjoint.Optim;

/// <summary>Limits gradients between <c>Backward()</c> and <c>Step()</c>.</summary>
public static class ClipGradients
{
    /// <summary>Scales all gradients by limit / norm when their common 2-norm is above the limit (Pascanu et al. 2013); returns the norm before.</summary>
    public static double ByNorm(IEnumerable<Tensor> parameters, double limit)
    {
        using var _ = new NoGrad();
        var list = parameters.Where(parameter => parameter.Grad is not null).ToArray();
        var norm = Math.Sqrt(list.Sum(parameter => parameter.Grad!.Square().Sum().Item()));
        if (norm > limit)
            foreach (var parameter in list) parameter.Grad = (parameter.Grad! * (limit / norm)).Keep();
        return norm;
    }

    /// <summary>Limits every element of every gradient to [−limit, limit].</summary>
    public static void ByValue(IEnumerable<Tensor> parameters, double limit)
    {
        using var _ = new NoGrad();
        foreach (var parameter in parameters)
            if (parameter.Grad is { } gradient) parameter.Grad = gradient.Clamp(-limit, limit).Keep();
    }
}
