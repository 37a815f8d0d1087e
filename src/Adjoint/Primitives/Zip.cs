using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// z = f(x, y), element by element. Operands: x, y, z of one type that f is for; x and y, of any layout, broadcast to
/// z's shape; z contiguous.
/// </summary>
/// <typeparam name="TOperator">The function f, for every vector width.</typeparam>
/// <param name="Operator">The function f, with its constants.</param>
public readonly record struct Zip<TOperator>(TOperator Operator) : INumericPrimitive<Zip<TOperator>>
    where TOperator : struct, IBinaryOperator
{
    /// <inheritdoc/>
    public static string Name => "Zip";

    /// <inheritdoc/>
    public static ElementKinds Kinds => TOperator.Kinds;

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Zip<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var z = operands[2]!;
        Operands.Result(Name, z, TOperator.Kinds);
        Operands.Broadcasts(Name, "x", operands[0]!, z);
        Operands.Broadcasts(Name, "y", operands[1]!, z);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Zip<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, y, z, op) = (operands[0]!, operands[1]!, operands[2]!, primitive.Operator);
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = z.Data<T>())
        {
            if (x.IsContiguous && y.IsContiguous && x.Shape == z.Shape && y.Shape == z.Shape)
                Kernels.Zip.Run(op, px, py, pz, z.Length);
            else if (Operands.IsOneNumber(x) && y.IsContiguous && y.Shape == z.Shape)
                Kernels.Map.Run(new WithLeft(op, double.CreateTruncating(*px)), py, pz, z.Length);
            else if (Operands.IsOneNumber(y) && x.IsContiguous && x.Shape == z.Shape)
                Kernels.Map.Run(new WithRight(op, double.CreateTruncating(*py)), px, pz, z.Length);
            else
                Kernels.Zip.RunStrided(op, px, Operands.BroadcastStrides(x, z.Shape), py,
                    Operands.BroadcastStrides(y, z.Shape), pz, z.Shape.Sizes);
        }
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock<T>(in Zip<TOperator> primitive, T** block, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Kernels.Zip.Run(primitive.Operator, block[0], block[1], block[2], count);

    // One number is no double here: an int64 has more digits.
    /// <inheritdoc/>
    public static unsafe void RunExact<T>(in Zip<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged
    {
        var (x, y, z, op) = (operands[0]!, operands[1]!, operands[2]!, primitive.Operator);
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = z.Data<T>())
            if (x.IsContiguous && y.IsContiguous && x.Shape == z.Shape && y.Shape == z.Shape)
                Kernels.Zip.Run(op, px, py, pz, z.Length);
            else
                Kernels.Zip.RunStrided(op, px, Operands.BroadcastStrides(x, z.Shape), py,
                    Operands.BroadcastStrides(y, z.Shape), pz, z.Shape.Sizes);
    }

    private readonly struct WithLeft(TOperator op, double left) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => op.Invoke(V.Splat(left), x);
    }

    private readonly struct WithRight(TOperator op, double right) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => op.Invoke(x, V.Splat(right));
    }
}
