using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// Whether a relation of x and a number holds, element by element; with a NaN only NotEqual holds. Beside floating x
/// the number is rounded to x's type; integers and truth values (1 and 0) are compared with it exactly, neither is
/// rounded. Operands: x, of any layout and type, and z, truth values, contiguous, of x's shape.
/// </summary>
/// <param name="Relation">The relation to test.</param>
/// <param name="Number">The right side of the relation.</param>
public readonly record struct CompareNumber(Relation Relation, double Number) : IPrimitive<CompareNumber>
{
    /// <inheritdoc/>
    public static string Name => "CompareNumber";

    /// <inheritdoc/>
    public static void Check(in CompareNumber primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var (x, z) = (operands[0]!, operands[1]!);
        Operands.HasContiguous(Name, "z", z, DType.Bool, x.Shape.Sizes);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in CompareNumber primitive, ReadOnlySpan<Tensor?> operands)
    {
        var body = new Body(primitive.Relation, operands[0]!, primitive.Number, operands[1]!);
        ElementTypes.Number(operands[0]!.DType, ref body);
    }

    private readonly unsafe struct Body(Relation relation, Tensor x, double number, Tensor z) : INumberVisitor
    {
        public void Visit<T>() where T : unmanaged, INumber<T>
        {
            if (x.DType.IsFloating())
            {
                Run(relation, T.CreateSaturating(number));
                return;
            }
            var (least, most) = x.DType switch
            {
                DType.Int64 => (long.MinValue, long.MaxValue),
                DType.Int32 => (int.MinValue, int.MaxValue),
                DType.UInt8 => (byte.MinValue, byte.MaxValue),
                _ => throw Operands.NoBody(Name, x.DType),
            };
            var (same, bound) = Whole(relation, number, least, most, out var always);
            if (always is { } all) z.Data<bool>().Fill(all);
            else Run(same, T.CreateTruncating(bound));
        }

        public void VisitTruth()
        {
            var (ofFalse, ofTrue) = (Holds(relation, 0, number), Holds(relation, 1, number));
            if (ofFalse == ofTrue) z.Data<bool>().Fill(ofTrue);
            else Run(Relation.Equal, ofTrue ? (byte)1 : (byte)0);
        }

        private void Run<T>(Relation same, T bound) where T : unmanaged, INumber<T>
        {
            var strides = Operands.BroadcastStrides(x, z.Shape);
            var sizes = Operands.JoinAxes(z.Shape, strides);
            fixed (T* px = &x.Origin<T>())
            fixed (byte* pz = z.Bytes)
                same.Mark(px, strides.AsSpan(0, sizes.Length), &bound, new nint[sizes.Length], pz, sizes);
        }
    }

    // The same relation to a whole number, or what it is for all of the type.
    private static (Relation Relation, long Bound) Whole(
        Relation relation, double number, long least, long most, out bool? always)
    {
        var isBelow = relation is Relation.Less or Relation.LessOrEqual;
        var isUnequal = relation is Relation.NotEqual;
        var floor = Math.Floor(number);
        always = double.IsNaN(number) ? isUnequal
            : number >= most + 1.0 ? isBelow || isUnequal
            : number < least ? relation is Relation.Greater or Relation.GreaterOrEqual || isUnequal
            : number > floor && relation is Relation.Equal or Relation.NotEqual ? isUnequal
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
        Relation.NotEqual => x != y,
        _ => throw Relations.Unknown(relation),
    };
}
