using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = a·x + b</summary>
internal sealed class AffineOp(double scale, double shift)
    : UnaryOp<AffineOp.Operator, AffineOp.Vjp>(new Operator(scale, shift), new Vjp(scale))
{
    /// <summary>The shift that changes nothing: −0 + 0 would be 0.</summary>
    internal const double NoShift = -0.0;

    public override string Name => "Affine";
    public override string Formula => "y = a·x + b";
    public override string Derivation => "∂L/∂x = g · a";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("scale", scale), new("shift", shift)];

    internal readonly struct Operator(double scale, double shift) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Fma(x, V.Splat(scale), V.Splat(shift));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double scale) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * V.Splat(scale);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// scale·x + shift for two numbers, in one pass; sums, differences and products with a number are made of it.
        /// </summary>
        /// <param name="scale">The factor of every element.</param>
        /// <param name="shift">The number added to every product.</param>
        /// <returns>A tensor of x's shape.</returns>
        public Tensor Affine(Number scale, Number shift) => scale.IsExactWith(x) && shift.IsExactWith(x)
            ? x * scale + shift
            : Op.Apply(new AffineOp(scale.Value, shift.Value), x);
    }
}
