using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = erf x</summary>
internal sealed class ErfOp : UnaryOp<ErfOp.Operator, ErfOp.Vjp>
{
    internal static readonly ErfOp Instance = new();

    // 2/√π.
    private const double Top = 1.12837916709551257390;

    public override string Name => "Erf";
    public override string Formula => "y = erf x = 2/√π · ∫₀ˣ e^(−t²) dt";
    public override string Derivation => "∂L/∂x = g · 2/√π · e^(−x²)";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Erf(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * V.Exp(-(y * y)) * V.Splat(Top);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The error function 2/√π · ∫₀ˣ e^(−t²) dt, element by element, between −1 and 1. NaN where x is NaN.
        /// </summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        /// <exception cref="AdjointException">x is not of a floating type.</exception>
        public Tensor Erf() => Op.Apply(ErfOp.Instance, x);
    }
}
