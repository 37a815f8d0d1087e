using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// y[i] = start + i·step in row-major order, computed in float64 and rounded to the type; an integer is truncated and
/// clamped to its range, a truth value is whether it is not 0. Operand: y, contiguous, of any type.
/// </summary>
/// <param name="Start">The first element.</param>
/// <param name="Step">The difference between one element and the next.</param>
public readonly record struct Arange(double Start, double Step) : IPrimitive<Arange>
{
    /// <inheritdoc/>
    public static string Name => "Arange";

    /// <inheritdoc/>
    public static void Check(in Arange primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 1);
        Operands.Contiguous(Name, "y", operands[0]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Arange primitive, ReadOnlySpan<Tensor?> operands)
    {
        var body = new Body(primitive.Start, primitive.Step, operands[0]!);
        ElementTypes.Number(operands[0]!.DType, ref body);
    }

    private readonly struct Body(double start, double step, Tensor y) : INumberVisitor
    {
        public void Visit<T>() where T : unmanaged, INumber<T>
        {
            var values = y.Data<T>();
            for (var i = 0; i < values.Length; i++) values[i] = T.CreateSaturating(start + i * step);
        }

        public void VisitTruth()
        {
            var values = y.Data<bool>();
            for (var i = 0; i < values.Length; i++) values[i] = start + i * step != 0;
        }
    }
}
