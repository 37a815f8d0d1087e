using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Sets every element of y to one number, rounded to the type: in integers truncated and clamped to the range, 0 for
/// NaN; a truth value is whether it is not 0. Operand: y, of any layout and type.
/// </summary>
/// <param name="Value">The number for every element.</param>
public readonly record struct Fill(Number Value) : IPrimitive<Fill>
{
    /// <inheritdoc/>
    public static string Name => "Fill";

    /// <inheritdoc/>
    public static void Check(in Fill primitive, ReadOnlySpan<Tensor?> operands) =>
        Operands.Expect(Name, operands, 1);

    /// <inheritdoc/>
    public static void RunOnCpu(in Fill primitive, ReadOnlySpan<Tensor?> operands)
    {
        var body = new Body(primitive.Value, operands[0]!);
        ElementTypes.Number(operands[0]!.DType, ref body);
    }

    private readonly unsafe struct Body(Number value, Tensor y) : INumberVisitor
    {
        public void Visit<T>() where T : unmanaged, INumber<T> =>
            Run(value.IsInteger ? T.CreateSaturating(value.Integer) : T.CreateSaturating(value.Value));

        public void VisitTruth() => Run(value.Value != 0);

        private void Run<T>(T element) where T : unmanaged
        {
            if (y.IsContiguous)
                y.Data<T>().Fill(element);
            else
                fixed (T* to = &y.Origin<T>()) Strided.Fill(element, to, y.Strides, y.Shape.Sizes);
        }
    }
}
