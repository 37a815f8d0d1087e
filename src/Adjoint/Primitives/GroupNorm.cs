using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = γ·x̂ + β with x̂ = (x − μ)/√(σ² + ε), where μ is the mean and σ² the variance (divided by the count) of a group
/// of channels over all positions of a sample. Operands: x (n, c, …), γ (c), β (c), of any layout; the moments (n,
/// groups, 3), of the computing type, and y, contiguous; x and y of one floating type, γ and β of that or its computing
/// type. The moments of a group are those of <see cref="LayerNorm"/>.
/// </summary>
/// <param name="Groups">The number of groups; it divides c.</param>
/// <param name="Epsilon">The number ε added to the variance.</param>
public readonly record struct GroupNorm(int Groups, double Epsilon) : IFloatingPrimitive<GroupNorm>
{
    /// <inheritdoc/>
    public static string Name => "GroupNorm";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in GroupNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 5);
        var (x, y) = (operands[0]!, operands[4]!);
        Operands.Result(Name, y);
        Operands.SameTypeAndShape(Name, "x", x, y);
        CheckGroups(Name, x, operands[1]!, operands[3]!, primitive.Groups);
        NormRows.CheckParameter(Name, "beta", operands[2]!, x.DType, [x.Shape[1]]);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in GroupNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, gamma, beta) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!),
            Copy.Contiguous(operands[2]!));
        fixed (T* from = x.Data<T>(), scale = gamma.Data<T>(), shift = beta.Data<T>(),
            moments = operands[3]!.Data<T>(), to = operands[4]!.Data<T>())
            Kernels.GroupNorm.Forward(
                from, scale, shift, moments, to, ShapeOf(x, primitive.Groups), primitive.Epsilon);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(gamma, operands[1]!);
        Copy.ReleaseCopy(beta, operands[2]!);
    }

    /// <summary>
    /// The groups divide the channels of x (n, c, …), and there are γ (c) and moments for each group.
    /// </summary>
    internal static void CheckGroups(string primitive, Tensor x, Tensor gamma, Tensor moments, int groups)
    {
        var channels = Operands.Channels(primitive, x);
        if (groups < 1 || channels % groups != 0)
            throw new AdjointException(
                $"{primitive}: the groups must divide the channels: found {groups} groups for {x.Shape}"
                + Operands.Remedy);
        NormRows.CheckParameter(primitive, "gamma", gamma, x.DType, [channels]);
        Operands.HasContiguous(
            primitive, "moments", moments, x.DType.Computing(), x.Shape[0], groups, RowNorm.Moments);
    }

    internal static GroupShape ShapeOf(Tensor x, int groups) =>
        new(x.Shape[0], x.Shape[1], Shape.Product(x.Shape.Sizes[2..]), groups);
}
