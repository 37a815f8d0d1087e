using Adjoint.Kernels;

namespace Adjoint;

/// <summary>
/// An operator read as a formula of tensors: an op for each operator, so that what comes out has a history and can
/// be differentiated again. A number stays one, and meets a tensor in an op with a number.
/// </summary>
/// <remarks>
/// Each op rounds as the operator does, so that the values are those of the formula run over memory once; but for
/// <see cref="Fma"/>, which rounds twice unless two of its terms are numbers, and for numbers that meet numbers, which
/// do so in float64. <see cref="Select"/> computes both branches, and backward sends 0 into the one not taken: where
/// that branch's own slope is ∞ or NaN, 0 · ∞ comes back. A formula with such a branch is not to be read this way.
/// </remarks>
internal readonly struct TensorLanes : ILanes<TensorLanes>
{
    // Null: the number, in every lane. Truth values of a mask otherwise, or elements.
    private readonly Tensor? tensor;
    private readonly double number;

    // Of a mask, the type of what was compared: two numbers that it chooses from have none.
    private readonly DType type;

    internal TensorLanes(Tensor tensor) : this(tensor, tensor.DType) { }

    private TensorLanes(Tensor tensor, DType type) => (this.tensor, this.type) = (tensor, type);

    private TensorLanes(double number) => this.number = number;

    /// <summary>The tensor; a number fills one of the shape and type of another.</summary>
    internal Tensor ToTensor(Tensor like) => tensor ?? Tensor.Full(like.Shape, number, like.DType);

    public static TensorLanes Splat(double value) => new(value);

    public static TensorLanes operator +(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => new(a.number + b.number),
        (null, { } y) => new(a.number + y),
        ({ } x, null) => new(x + b.number),
        // One gradient arrives instead of two.
        ({ } x, { } y) => new(ReferenceEquals(x, y) ? x * 2 : x + y),
    };

    public static TensorLanes operator -(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => new(a.number - b.number),
        (null, { } y) => new(a.number - y),
        ({ } x, null) => new(x - b.number),
        ({ } x, { } y) => new(x - y),
    };

    public static TensorLanes operator *(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => new(a.number * b.number),
        (null, { } y) => new(a.number * y),
        ({ } x, null) => new(x * b.number),
        ({ } x, { } y) => new(ReferenceEquals(x, y) ? x.Square() : x * y),
    };

    public static TensorLanes operator /(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => new(a.number / b.number),
        (null, { } y) => new(a.number / y),
        ({ } x, null) => new(x / b.number),
        ({ } x, { } y) => new(x / y),
    };

    public static TensorLanes operator -(TensorLanes x) => x.tensor is { } t ? new(-t) : new(-x.number);

    public static TensorLanes Fma(TensorLanes a, TensorLanes b, TensorLanes c) =>
        a.tensor is { } x && b.tensor is null && c.tensor is null ? new(x.Affine(b.number, c.number))
        : a.tensor is null && b.tensor is { } y && c.tensor is null ? new(y.Affine(a.number, c.number))
        : a * b + c;

    public static TensorLanes Min(TensorLanes a, TensorLanes b) => AreNumbers(a, b)
        ? new(Math.Min(a.number, b.number))
        : new(a.Beside(b).Minimum(b.Beside(a)));

    public static TensorLanes Max(TensorLanes a, TensorLanes b) => AreNumbers(a, b)
        ? new(Math.Max(a.number, b.number))
        : new(a.Beside(b).Maximum(b.Beside(a)));

    public static TensorLanes Abs(TensorLanes x) => x.tensor is { } t ? new(t.Abs()) : new(Math.Abs(x.number));

    public static TensorLanes Sqrt(TensorLanes x) => x.tensor is { } t ? new(t.Sqrt()) : new(Math.Sqrt(x.number));

    public static TensorLanes Floor(TensorLanes x) =>
        x.tensor is null ? new(Math.Floor(x.number)) : throw HasNoOp(nameof(Floor));

    public static TensorLanes Exp(TensorLanes x) => x.tensor is { } t ? new(t.Exp()) : new(Math.Exp(x.number));

    public static TensorLanes ScaleByPowerOfTwo(TensorLanes x, TensorLanes n) =>
        n.tensor is null ? x * Splat(Math.ScaleB(1, (int)n.number)) : throw HasNoOp(nameof(ScaleByPowerOfTwo));

    public static TensorLanes Clamp(TensorLanes x, TensorLanes low, TensorLanes high) =>
        x.tensor is { } t && AreNumbers(low, high)
            ? new(t.Clamp(low.number, high.number))
            : Select(Less(x, low), low, Select(Less(high, x), high, x));

    public static TensorLanes Log(TensorLanes x) => x.tensor is { } t ? new(t.Log()) : new(Math.Log(x.number));

    public static TensorLanes Pow(TensorLanes x, TensorLanes y) => (x.tensor, y.tensor) switch
    {
        (null, null) => new(Math.Pow(x.number, y.number)),
        ({ } b, null) => new(b.Pow(y.number)),
        (_, { } exponent) => new(x.Beside(y).Pow(exponent)),
    };

    public static TensorLanes Sin(TensorLanes x) => x.tensor is { } t ? new(t.Sin()) : new(Math.Sin(x.number));

    public static TensorLanes Cos(TensorLanes x) => x.tensor is { } t ? new(t.Cos()) : new(Math.Cos(x.number));

    public static TensorLanes Less(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => Mask(a.number < b.number),
        (null, { } y) => new(y.Greater(a.number), y.DType),
        ({ } x, null) => new(x.Less(b.number), x.DType),
        ({ } x, { } y) => new(x.Less(y), x.DType),
    };

    public static TensorLanes LessEqual(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => Mask(a.number <= b.number),
        (null, { } y) => new(y.GreaterOrEqual(a.number), y.DType),
        ({ } x, null) => new(x.LessOrEqual(b.number), x.DType),
        ({ } x, { } y) => new(x.LessOrEqual(y), x.DType),
    };

    public static TensorLanes Equal(TensorLanes a, TensorLanes b) => (a.tensor, b.tensor) switch
    {
        (null, null) => Mask(a.number == b.number),
        (null, { } y) => new(y.EqualTo(a.number), y.DType),
        ({ } x, null) => new(x.EqualTo(b.number), x.DType),
        ({ } x, { } y) => new(x.EqualTo(y), x.DType),
    };

    public static TensorLanes Select(TensorLanes mask, TensorLanes ifTrue, TensorLanes ifFalse) =>
        mask.tensor is { } holds
            ? new(Tensor.Where(holds, ifTrue.OfType(mask.type), ifFalse.OfType(mask.type)))
            : mask.number != 0 ? ifTrue : ifFalse;

    // Two numbers compared: a mask of all lanes, or of none.
    private static TensorLanes Mask(bool set) => new(set ? 1.0 : 0.0);

    private static bool AreNumbers(TensorLanes a, TensorLanes b) => a.tensor is null && b.tensor is null;

    private Tensor Beside(TensorLanes other) => OfType(other.type);

    private Tensor OfType(DType wanted) => tensor ?? Tensor.Scalar(number, wanted);

    private static AdjointException HasNoOp(string member) => new(
        $"UnaryOp: the VJP uses {member}, which has no differentiable op; write Backward by hand, in ops");
}
