namespace Adjoint.Nn;

/// <summary>The parameters that layers and cells of recurrent networks begin with.</summary>
internal static class RecurrentParameters
{
    /// <summary>
    /// weight_ih, weight_hh, bias_ih, bias_hh and weight_hr, each with the suffix, in the order in which PyTorch draws
    /// them: U(−1/√units, 1/√units).
    /// </summary>
    internal static RecurrentWeights Create(Func<string, Tensor, Tensor> add, string suffix, int gates, int inputs,
        int width, int projection, bool hasBias, Generator? generator)
    {
        var rows = gates * (long)width;
        if (rows > int.MaxValue)
            throw new AdjointException($"weight_ih{suffix}: {gates}·{width} rows are more than {int.MaxValue}");
        Tensor Add(string name, params int[] shape) => add(name + suffix, Values(shape, width, generator));
        var input = Add("weight_ih", (int)rows, inputs);
        var hidden = Add("weight_hh", (int)rows, projection > 0 ? projection : width);
        return new(input, hidden)
        {
            InputBias = hasBias ? Add("bias_ih", (int)rows) : null,
            HiddenBias = hasBias ? Add("bias_hh", (int)rows) : null,
            Projection = projection > 0 ? Add("weight_hr", projection, width) : null,
        };
    }

    private static Tensor Values(int[] shape, int width, Generator? generator)
    {
        if (Execution.Current.IsRestoring) return Tensor.Zeros(shape);
        using var _ = new NoGrad();
        var limit = 1 / Math.Sqrt(width);
        return Tensor.Rand(shape, generator ?? Generator.Default).Affine(2 * limit, -limit);
    }
}
