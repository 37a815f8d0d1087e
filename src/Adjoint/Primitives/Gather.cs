namespace Adjoint.Primitives;

/// <summary>
/// y[…, j, …] = x[…, index[…, j, …], …] along an axis. Operands: x, of any layout and type; index, int64, of any
/// layout, with x's sizes except along the axis; y, contiguous, of x's type and the index's sizes. An index outside the
/// axis is an error.
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
        Operands.Contiguous(Name, "y", y);
        Operands.NoOverlap(Name, x, y);
        Operands.NoOverlap(Name, index, y);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Gather primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Contiguous(operands[0]!), operands[2]!);
        var index = IndexOperands.Elements(Name, operands[1]!, x, primitive.Axis);
        var body = new Body(x, index, y, primitive.Axis);
        ElementTypes.Bits(x.DType, ref body);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(index, operands[1]!);
    }

    private readonly unsafe struct Body(Tensor x, Tensor index, Tensor y, int axis) : IBitsVisitor
    {
        public void Visit<T>() where T : unmanaged
        {
            var (outer, inner) = (IndexOperands.Outer(x.Shape, axis), IndexOperands.Inner(x.Shape, axis));
            fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>())
            fixed (long* at = index.Data<long>())
                Kernels.Gather.Elements(from, at, to, outer, x.Shape[axis], index.Shape[axis], inner);
        }
    }
}
