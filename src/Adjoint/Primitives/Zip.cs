using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// z = f(x, y), element by element. Operands: x, y, z of one type, of a kind that f is for; x and y, of any layout,
/// broadcast to z's shape; z contiguous.
/// </summary>
/// <param name="Lane">f.</param>
public readonly record struct Zip<TLane>(TLane Lane) : INumericPrimitive<Zip<TLane>> where TLane : struct, IBinaryLane
{
    /// <inheritdoc/>
    public static string Name => "Zip";

    /// <inheritdoc/>
    public static ElementKinds Kinds => TLane.Kinds;

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Zip<TLane> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var z = operands[2]!;
        Operands.Result(Name, z, TLane.Kinds);
        Operands.Broadcasts(Name, "x", operands[0]!, z);
        Operands.Broadcasts(Name, "y", operands[1]!, z);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Zip<TLane> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, y, z, lane) = (operands[0]!, operands[1]!, operands[2]!, primitive.Lane);
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = z.Data<T>())
        {
            if (x.IsContiguous && y.IsContiguous && x.Shape == z.Shape && y.Shape == z.Shape)
                Kernels.Zip.Run(lane, px, py, pz, z.Length);
            else if (Operands.IsOneNumber(x) && y.IsContiguous && y.Shape == z.Shape)
                Kernels.Map.Run(new WithLeft(lane, double.CreateTruncating(*px)), py, pz, z.Length);
            else if (Operands.IsOneNumber(y) && x.IsContiguous && x.Shape == z.Shape)
                Kernels.Map.Run(new WithRight(lane, double.CreateTruncating(*py)), px, pz, z.Length);
            else
                Kernels.Zip.RunStrided(lane, px, Operands.BroadcastStrides(x, z.Shape), py,
                    Operands.BroadcastStrides(y, z.Shape), pz, z.Shape.Sizes);
        }
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock<T>(in Zip<TLane> primitive, T** block, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Kernels.Zip.Run(primitive.Lane, block[0], block[1], block[2], count);

    // One number is no double here: an int64 has more digits.
    /// <inheritdoc/>
    public static unsafe void RunExact<T>(in Zip<TLane> primitive, ReadOnlySpan<Tensor?> operands) where T : unmanaged
    {
        var (x, y, z, lane) = (operands[0]!, operands[1]!, operands[2]!, primitive.Lane);
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = z.Data<T>())
            if (x.IsContiguous && y.IsContiguous && x.Shape == z.Shape && y.Shape == z.Shape)
                Kernels.Zip.Run(lane, px, py, pz, z.Length);
            else
                Kernels.Zip.RunStrided(lane, px, Operands.BroadcastStrides(x, z.Shape), py,
                    Operands.BroadcastStrides(y, z.Shape), pz, z.Shape.Sizes);
    }

    private readonly struct WithLeft(TLane lane, double left) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => lane.Invoke(V.Splat(left), x);
    }

    private readonly struct WithRight(TLane lane, double right) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => lane.Invoke(x, V.Splat(right));
    }
}
