using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// w = f(x, y, z), element by element. Operands: x, y, z, w of one floating type; x, y and z, of any layout, broadcast
/// to w's shape; w contiguous.
/// </summary>
/// <typeparam name="TOperator">The function f, for every vector width.</typeparam>
/// <param name="Operator">The function f, with its constants.</param>
public readonly record struct Zip3<TOperator>(TOperator Operator) : IFloatingPrimitive<Zip3<TOperator>>
    where TOperator : struct, ITernaryOperator
{
    /// <inheritdoc/>
    public static string Name => "Zip3";

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Zip3<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 4);
        var w = operands[3]!;
        Operands.Result(Name, w);
        Operands.Broadcasts(Name, "x", operands[0]!, w);
        Operands.Broadcasts(Name, "y", operands[1]!, w);
        Operands.Broadcasts(Name, "z", operands[2]!, w);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Zip3<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, y, z, w, op) = (operands[0]!, operands[1]!, operands[2]!, operands[3]!, primitive.Operator);
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = &z.Origin<T>(), pw = w.Data<T>())
        {
            if (x.IsContiguous && y.IsContiguous && z.IsContiguous
                && x.Shape == w.Shape && y.Shape == w.Shape && z.Shape == w.Shape)
                Kernels.Zip3.Run(op, px, py, pz, pw, w.Length);
            else
                Kernels.Zip3.RunStrided(op, px, Operands.BroadcastStrides(x, w.Shape), py,
                    Operands.BroadcastStrides(y, w.Shape), pz, Operands.BroadcastStrides(z, w.Shape), pw,
                    w.Shape.Sizes);
        }
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock<T>(in Zip3<TOperator> primitive, T** block, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Kernels.Zip3.Run(primitive.Operator, block[0], block[1], block[2], block[3], count);
}
