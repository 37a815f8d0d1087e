namespace Adjoint.Primitives;

/// <summary>
/// y = a where the condition holds, else b. Operands: condition, truth values, a and b, of any layout, all broadcast to
/// y's shape; y, contiguous; a, b and y of any one type.
/// </summary>
public readonly record struct Select : IPrimitive<Select>
{
    /// <inheritdoc/>
    public static string Name => "Select";

    /// <inheritdoc/>
    public static void Check(in Select primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 4);
        var y = operands[3]!;
        Operands.Contiguous(Name, "y", y);
        Operands.BroadcastsTo(Name, "condition", operands[0]!, DType.Bool, y.Shape);
        Operands.BroadcastsTo(Name, "a", operands[1]!, y.DType, y.Shape);
        Operands.BroadcastsTo(Name, "b", operands[2]!, y.DType, y.Shape);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Select primitive, ReadOnlySpan<Tensor?> operands)
    {
        var body = new Body(operands[0]!, operands[1]!, operands[2]!, operands[3]!);
        ElementTypes.Bits(operands[3]!.DType, ref body);
    }

    private readonly unsafe struct Body(Tensor condition, Tensor a, Tensor b, Tensor y) : IBitsVisitor
    {
        public void Visit<T>() where T : unmanaged
        {
            var conditionStrides = Operands.BroadcastStrides(condition, y.Shape);
            var (aStrides, bStrides) = (Operands.BroadcastStrides(a, y.Shape), Operands.BroadcastStrides(b, y.Shape));
            var sizes = Operands.JoinAxes(y.Shape, conditionStrides, aStrides, bStrides);
            var rank = sizes.Length;
            fixed (byte* which = &condition.Origin<byte>(), to = y.Bytes)
            fixed (T* pa = &a.Origin<T>(), pb = &b.Origin<T>())
                Kernels.Select.Run(which, conditionStrides.AsSpan(0, rank), pa, aStrides.AsSpan(0, rank), pb,
                    bStrides.AsSpan(0, rank), (T*)to, sizes);
        }
    }
}
