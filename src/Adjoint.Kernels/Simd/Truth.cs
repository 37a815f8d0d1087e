namespace Adjoint.Kernels;

/// <summary>
/// One truth value, false before true. As among numbers of one bit that stay at 1, + is or and · is and. What has no
/// meaning (a difference, a quotient, a root) is not there: no operator that is said to mean something on truth
/// values uses it (<see cref="IOperator.Kinds"/>).
/// </summary>
internal readonly unsafe struct Truth(bool value) : ILanes<Truth, bool>
{
    private readonly bool value = value;

    public static int Count => 1;

    // Whatever byte is not 0 is true.
    public static Truth Load(bool* from) => new(*(byte*)from != 0);

    public static void Store(Truth x, bool* to) => *to = x.value;

    public static Truth Splat(bool value) => new(value);

    /// <summary>0 and 1, or the one nearer to an infinity.</summary>
    public static Truth Splat(double value) => value switch
    {
        1 or double.PositiveInfinity => new(true),
        0 or double.NegativeInfinity => new(false),
        _ => throw new ArithmeticException($"Boolean: {value} is no truth value"),
    };

    public static Truth operator +(Truth a, Truth b) => Or(a, b);

    public static Truth operator -(Truth a, Truth b) => throw Lacks("difference");

    public static Truth operator *(Truth a, Truth b) => And(a, b);

    public static Truth operator /(Truth a, Truth b) => throw Lacks("quotient");

    public static Truth operator -(Truth x) => throw Lacks("negative");

    public static Truth Fma(Truth a, Truth b, Truth c) => a * b + c;

    public static Truth FmaSplat(Truth a, bool* b, Truth c) => a * Load(b) + c;

    public static Truth Min(Truth a, Truth b) => And(a, b);

    public static Truth Max(Truth a, Truth b) => Or(a, b);

    public static Truth Abs(Truth x) => x;

    public static Truth Sqrt(Truth x) => throw Lacks(nameof(Sqrt));

    public static Truth Floor(Truth x) => x;

    public static Truth Exp(Truth x) => throw Lacks(nameof(Exp));

    public static Truth ScaleByPowerOfTwo(Truth x, Truth n) => throw Lacks(nameof(ScaleByPowerOfTwo));

    public static Truth Clamp(Truth x, Truth low, Truth high) => Min(Max(x, low), high);

    public static Truth Log(Truth x) => throw Lacks(nameof(Log));

    public static Truth Pow(Truth x, Truth y) => throw Lacks(nameof(Pow));

    public static Truth Sin(Truth x) => throw Lacks(nameof(Sin));

    public static Truth Cos(Truth x) => throw Lacks(nameof(Cos));

    public static Truth Less(Truth a, Truth b) => new(!a.value & b.value);

    public static Truth LessEqual(Truth a, Truth b) => new(!a.value | b.value);

    public static Truth Equal(Truth a, Truth b) => new(a.value == b.value);

    public static Truth Select(Truth mask, Truth ifTrue, Truth ifFalse) => mask.value ? ifTrue : ifFalse;

    public static Truth And(Truth x, Truth y) => new(x.value & y.value);

    public static Truth Or(Truth x, Truth y) => new(x.value | y.value);

    public static Truth Xor(Truth x, Truth y) => new(x.value ^ y.value);

    public static Truth Not(Truth x) => new(!x.value);

    private static NotSupportedException Lacks(string what) => new($"Boolean: truth values have no {what}");
}
