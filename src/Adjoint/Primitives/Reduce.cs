using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Reduces axes of x, in an order that is fixed by the shape alone. Operands: x, of any layout, and y, which holds the
/// remaining axes in order, with or without the reduced ones as size 1; of one type that the reduction is for; y
/// contiguous.
/// </summary>
/// <typeparam name="TOperator">The type of the reduction.</typeparam>
/// <param name="Operator">The reduction, such as a sum.</param>
/// <param name="Reduced">For each axis of x, whether it is reduced.</param>
public readonly record struct Reduce<TOperator>(TOperator Operator, bool[] Reduced)
    : INumericPrimitive<Reduce<TOperator>>
    where TOperator : struct, IReductionOperator
{
    /// <inheritdoc/>
    public static string Name => "Reduce";

    /// <inheritdoc/>
    public static ElementKinds Kinds => TOperator.Kinds;

    /// <inheritdoc/>
    public static void Check(in Reduce<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Result(Name, operands[1]!, TOperator.Kinds);
        Operands.Reduced(Name, operands[0]!, primitive.Reduced, operands[1]!);
    }

    /// <inheritdoc/>
    public static void Run<T>(in Reduce<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => RunExact<T>(primitive, operands);

    /// <inheritdoc/>
    public static unsafe void RunExact<T>(in Reduce<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged
    {
        var y = operands[1]!;
        // Gather the reduced axes into one contiguous run when they are not one already: [outer, n, inner].
        var (x, outer, n, inner) = AsOneRun(operands[0]!, primitive.Reduced);
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
            Kernels.Reduce.Run(primitive.Operator, from, to, outer, n, inner);
        Copy.ReleaseCopy(x, operands[0]!);
    }

    private static (Tensor Source, nint Outer, nint N, nint Inner) AsOneRun(Tensor x, ReadOnlySpan<bool> reduced)
    {
        var first = reduced.IndexOf(true);
        if (first < 0) return (Copy.Contiguous(x), x.Length, 1, 1);
        var last = reduced.LastIndexOf(true);
        var together = reduced[first..(last + 1)].IndexOf(false) < 0;
        var source = x;
        if (!together)
        {
            int[] order = [.. Kept(reduced, false), .. Kept(reduced, true)];
            source = x.View(Array.ConvertAll(order, axis => x.Shape[axis]), Array.ConvertAll(order, x.StrideAt),
                x.Offset);
        }
        nint outer = 1, n = 1, inner = 1;
        for (var axis = 0; axis < x.Rank; axis++)
            if (reduced[axis]) n *= x.Shape[axis];
            else if (together && axis > last) inner *= x.Shape[axis];
            else outer *= x.Shape[axis];
        return (Copy.Contiguous(source), outer, n, inner);
    }

    private static List<int> Kept(ReadOnlySpan<bool> reduced, bool which)
    {
        var axes = new List<int>();
        for (var axis = 0; axis < reduced.Length; axis++)
            if (reduced[axis] == which) axes.Add(axis);
        return axes;
    }
}
