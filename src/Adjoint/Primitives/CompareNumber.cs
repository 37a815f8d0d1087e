using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// Whether a relation of x and a number holds, element by element; where one is NaN it does not. Beside floating x the
/// number is rounded to x's type; whole numbers and truth values (1 and 0) compare with it exactly, none of the two is
/// rounded. Operands: x, of any layout and type, and z, truth values, contiguous, of x's shape.
/// </summary>
/// <param name="Relation">The relation.</param>
/// <param name="Number">On its right side.</param>
public readonly record struct CompareNumber(Relation Relation, double Number) : IFloatingPrimitive<CompareNumber>
{
    /// <inheritdoc/>
    public static string Name => "CompareNumber";

    /// <inheritdoc/>
    public static void Check(in CompareNumber primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var (x, z) = (operands[0]!, operands[1]!);
        Operands.HasDense(Name, "z", z, DType.Bool, x.Shape.Sizes);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in CompareNumber primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, z, number) = (operands[0]!, operands[1]!, primitive.Number);
        switch (x.DType)
        {
            case DType.Int64:
                var (relation, bound) = Whole(primitive.Relation, number, out var always);
                if (always is { } all) z.Data<bool>().Fill(all);
                else Mark(relation, x, bound, z);
                break;
            case DType.Bool:
                var (ofFalse, ofTrue) = (Holds(primitive.Relation, 0, number), Holds(primitive.Relation, 1, number));
                if (ofFalse == ofTrue) z.Data<bool>().Fill(ofTrue);
                else Mark(Relation.Equal, x, ofTrue ? (byte)1 : (byte)0, z);
                break;
            case DType.BFloat16:
                FloatingPrimitive.Run(primitive with { Number = (BFloat16)(float)number }, operands);
                break;
            case DType.Float16:
                FloatingPrimitive.Run(primitive with { Number = (double)(Half)number }, operands);
                break;
            default: FloatingPrimitive.Run(primitive, operands); break;
        }
    }

    /// <inheritdoc/>
    public static void Run<T>(in CompareNumber primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Mark(primitive.Relation, operands[0]!, T.CreateTruncating(primitive.Number), operands[1]!);

    private static unsafe void Mark<T>(Relation relation, Tensor x, T number, Tensor z)
        where T : unmanaged, INumber<T>
    {
        var strides = Operands.BroadcastStrides(x, z.Shape);
        var sizes = Operands.JoinAxes(z.Shape, strides);
        fixed (T* px = &x.Origin<T>())
        fixed (byte* pz = z.Bytes)
            relation.Mark(px, strides.AsSpan(0, sizes.Length), &number, new nint[sizes.Length], pz, sizes);
    }

    // The same relation to a whole number, or what it is for all of them.
    private static (Relation Relation, long Bound) Whole(Relation relation, double number, out bool? always)
    {
        const double Beyond = 9223372036854775808;
        var isBelow = relation is Relation.Less or Relation.LessOrEqual;
        var floor = Math.Floor(number);
        always = double.IsNaN(number) ? false
            : number >= Beyond ? isBelow
            : number < -Beyond ? relation is Relation.Greater or Relation.GreaterOrEqual
            : number > floor && relation is Relation.Equal ? false
            : null;
        if (always is not null) return default;
        // Between two whole numbers, what is below is at most the lower of them.
        if (number > floor) relation = isBelow ? Relation.LessOrEqual : Relation.Greater;
        return (relation, (long)floor);
    }

    private static bool Holds(Relation relation, double x, double y) => relation switch
    {
        Relation.Less => x < y,
        Relation.LessOrEqual => x <= y,
        Relation.Equal => x == y,
        Relation.GreaterOrEqual => x >= y,
        Relation.Greater => x > y,
        _ => throw Relations.Unknown(relation),
    };
}
