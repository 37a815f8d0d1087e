using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// z = f(x, y), element by element. Operands: x, y, z of one floating type; x and y, of any layout, broadcast to z's
/// shape; z contiguous.
/// </summary>
/// <param name="Lane">f.</param>
public readonly record struct Zip<TLane>(TLane Lane) : IPrimitive<Zip<TLane>> where TLane : struct, IBinaryLane
{
    /// <inheritdoc/>
    public static string Name => "Zip";

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Zip<TLane> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var z = operands[2]!;
        Operands.Result(Name, z);
        Operands.Broadcasts(Name, "x", operands[0]!, z);
        Operands.Broadcasts(Name, "y", operands[1]!, z);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Zip<TLane> primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y, z) = (operands[0]!, operands[1]!, operands[2]!);
        switch (z.DType)
        {
            case DType.Float32: Run<float>(primitive.Lane, x, y, z); break;
            case DType.Float64: Run<double>(primitive.Lane, x, y, z); break;
            default: throw Operands.NoBody(Name, z.DType);
        }
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock(in Zip<TLane> primitive, void** block, int count, DType type)
    {
        switch (type)
        {
            case DType.Float32:
                Kernels.Zip.Run(primitive.Lane, (float*)block[0], (float*)block[1], (float*)block[2], count);
                break;
            case DType.Float64:
                Kernels.Zip.Run(primitive.Lane, (double*)block[0], (double*)block[1], (double*)block[2], count);
                break;
            default: throw Operands.NoBody(Name, type);
        }
    }

    private static unsafe void Run<T>(TLane lane, Tensor x, Tensor y, Tensor z)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = z.Data<T>())
        {
            if (x.IsContiguous && y.IsContiguous && x.Shape == z.Shape && y.Shape == z.Shape)
                Kernels.Zip.Run(lane, px, py, pz, z.Length);
            else if (IsOneNumber(x) && y.IsContiguous && y.Shape == z.Shape)
                Kernels.Map.Run(new WithLeft(lane, double.CreateTruncating(*px)), py, pz, z.Length);
            else if (IsOneNumber(y) && x.IsContiguous && x.Shape == z.Shape)
                Kernels.Map.Run(new WithRight(lane, double.CreateTruncating(*py)), px, pz, z.Length);
            else
                Kernels.Zip.RunStrided(lane, px, Operands.BroadcastStrides(x, z.Shape), py,
                    Operands.BroadcastStrides(y, z.Shape), pz, z.Shape.Sizes);
        }
    }

    // A scalar, or one expanded: the gradient of every sum and mean is such.
    private static bool IsOneNumber(Tensor x)
    {
        if (x.Length == 0) return false;
        foreach (var stride in x.Strides)
            if (stride != 0) return x.Length == 1;
        return true;
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
