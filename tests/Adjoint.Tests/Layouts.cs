namespace Adjoint.Tests;

/// <summary>The same elements, lying otherwise.</summary>
internal static class Layouts
{
    /// <summary>A vector as every second element of something larger.</summary>
    internal static Tensor Spread(Tensor x) =>
        Tensor.Stack([x, Tensor.Zeros(x.Shape, x.DType)], 1).Reshape(-1).Slice(0, 0, x.Length, step: 2);
}
