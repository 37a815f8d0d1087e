using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = sign(x)</summary>
internal sealed class SignOp : UnaryOp<SignOp.Operator, SignOp.Vjp>
{
    internal static readonly SignOp Instance = new();

    public override string Name => "Sign";
    public override string Formula => "y = sign(x)";
    public override string Derivation => "∂L/∂x = 0";
    public override Saves Saves => Saves.Nothing;

    /// <summary>The sign, for lanes of other ops.</summary>
    internal static V Of<V>(V x) where V : struct, ILanes<V>
    {
        var (zero, one) = (V.Splat(0), V.Splat(1));
        return V.Select(V.Less(zero, x), one, V.Select(V.Less(x, zero), -one, x * zero));
    }

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => Of(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * V.Splat(0);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The sign of x: −1, 0 or 1, element by element; NaN stays NaN. Its derivative is taken as 0 everywhere.
        /// </summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Sign() => Op.Apply(SignOp.Instance, x);
    }
}
