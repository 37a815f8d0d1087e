using System.Text;
using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>
/// Weights by a formula of name and index, so that networks of two programs have the same without a file; see
/// Goldens/formula_weights.py, which says the same in Python.
/// </summary>
internal static class FormulaWeights
{
    /// <summary>Fills all parameters and buffers.</summary>
    internal static T Fill<T>(T model) where T : Module
    {
        foreach (var (name, value) in model.StateDict())
            value.CopyFrom(Of(name, value.Shape.Sizes.ToArray()).To(value.DType));
        return model;
    }

    /// <summary>
    /// The values of a parameter, float32: weights of rank 2 and more uniform with a variance of 2 / fan-in, scales and
    /// variances around 1, others in ±0.1.
    /// </summary>
    internal static Tensor Of(string name, params int[] shape)
    {
        var count = ((Shape)shape).Elements;
        var (scale, shift) = shape.Length >= 2 ? (Math.Sqrt(6.0 * shape[0] / count), 0)
            : name.EndsWith("running_var", StringComparison.Ordinal) ? (0.5, 1)
            : name.EndsWith("weight", StringComparison.Ordinal) ? (0.2, 1) : (0.1, 0);
        return Noise(name, scale, shift, shape);
    }

    /// <summary>An input or image: numbers in [−1, 1), float32.</summary>
    internal static Tensor Input(string name, params int[] shape) => Noise(name, 1, 0, shape);

    // A hash of name and index, as a number in [−1, 1), scaled and shifted. A loop: networks have millions of weights.
    private static Tensor Noise(string name, double scale, double shift, int[] shape)
    {
        var start = 2166136261;
        foreach (var one in Encoding.UTF8.GetBytes(name)) start = unchecked((start ^ one) * 16777619);
        var values = new float[((Shape)shape).Elements];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(scale * (Mix(unchecked(start + (uint)i)) / 2147483648.0 - 1) + shift);
        return Tensor.From<float>(values, shape);
    }

    private static uint Mix(uint x)
    {
        unchecked
        {
            x = (x ^ (x >> 16)) * 0x7feb352d;
            x = (x ^ (x >> 15)) * 0x846ca68b;
            return x ^ (x >> 16);
        }
    }
}
