namespace Adjoint.Primitives;

/// <summary>
/// y[…, j, …] = x[…, index[…, j, …], …] along an axis. Operands: x, of any layout and type; index, int64, of any
/// layout, with x's sizes but that along the axis; y, contiguous, of x's type and the index's sizes. An index outside
/// of the axis is an error.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
public readonly record struct Gather(int Axis) : IPrimitive<Gather>
{
    /// <inheritdoc/>
    public static string Name => "Gather";

    /// <inheritdoc/>
    public static void Check(in Gather primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, index, y) = (operands[0]!, operands[1]!, operands[2]!);
        IndexOperands.CheckElements(Name, x, primitive.Axis, index, "y", y);
        Operands.Dense(Name, "y", y);
        Operands.Apart(Name, x, y);
        Operands.Apart(Name, index, y);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Gather primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Packed(operands[0]!), operands[2]!);
        var index = IndexOperands.Elements(Name, operands[1]!, x, primitive.Axis);
        switch (x.DType.Size())
        {
            case 1: Run<byte>(x, index, y, primitive.Axis); break;
            case 4: Run<uint>(x, index, y, primitive.Axis); break;
            case 8: Run<ulong>(x, index, y, primitive.Axis); break;
            default: throw Operands.NoBody(Name, x.DType);
        }
        Copy.Unpack(x, operands[0]!);
        Copy.Unpack(index, operands[1]!);
    }

    private static unsafe void Run<T>(Tensor x, Tensor index, Tensor y, int axis) where T : unmanaged
    {
        var (outer, inner) = (IndexOperands.Outer(x.Shape, axis), IndexOperands.Inner(x.Shape, axis));
        fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>())
        fixed (long* at = index.Data<long>())
            Kernels.Gather.Elements(from, at, to, outer, x.Shape[axis], index.Shape[axis], inner);
    }
}
