using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = f(x), element by element. Operands: x, y, of one shape and a type that f is for; y contiguous, x of any layout.
/// </summary>
/// <typeparam name="TOperator">The function f, for every vector width.</typeparam>
/// <param name="Operator">The function f, with its constants.</param>
public readonly record struct Map<TOperator>(TOperator Operator) : INumericPrimitive<Map<TOperator>>
    where TOperator : struct, IUnaryOperator
{
    /// <inheritdoc/>
    public static string Name => "Map";

    /// <inheritdoc/>
    public static ElementKinds Kinds => TOperator.Kinds;

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Map<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Result(Name, operands[1]!, TOperator.Kinds);
        Operands.SameTypeAndShape(Name, "x", operands[0]!, operands[1]!);
    }

    /// <inheritdoc/>
    public static void Run<T>(in Map<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => RunExact<T>(primitive, operands);

    /// <inheritdoc/>
    public static unsafe void RunExact<T>(in Map<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged
    {
        var (x, y) = (Copy.Contiguous(operands[0]!), operands[1]!);
        fixed (T* from = x.Data<T>(), to = y.Data<T>()) Kernels.Map.Run(primitive.Operator, from, to, y.Length);
        Copy.ReleaseCopy(x, operands[0]!);
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock<T>(in Map<TOperator> primitive, T** block, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Kernels.Map.Run(primitive.Operator, block[0], block[1], count);
}
