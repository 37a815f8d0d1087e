using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>z = xʸ</summary>
internal sealed class PowerOfTensorsOp : BinaryOp<PowerOfTensorsOp.Operator>
{
    internal static readonly PowerOfTensorsOp Instance = new();

    public override string Name => "PowerOfTensors";
    public override string Formula => "z = xʸ";
    public override string Derivation =>
        "∂L/∂x = g · y · xʸ⁻¹, 0 for y = 0; ∂L/∂y = g · xʸ · ln x, 0 for x = 0 and y ≥ 0, " +
        "where the products would be 0 · ∞; summed over broadcast axes";
    public override Saves Saves => Saves.Inputs | Saves.Output;

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Vjp(new LeftOperator(), node.Inputs[0], gradient, node.Inputs[0], node.Inputs[1]) : null,
        node.Needs(1) ? Vjp(new RightOperator(), node.Inputs[1], gradient, node.Inputs[0], node.Output) : null,
    ];

    // Where a product would be 0 · ∞ its factors are replaced before they meet: so the rule has derivatives too.
    protected override Tensor Left(OpNode node, Tensor gradient)
    {
        var (x, y) = (node.Inputs[0], node.Inputs[1]);
        var product = Tensor.Where(y.EqualTo(0), x.Detach().Pow(-1) * 0, Tensor.Scalar(0, x.DType));
        var isNumber = product.EqualTo(product);
        var exponent = Tensor.Where(isNumber, y, Tensor.Scalar(0, x.DType));
        return gradient * (exponent * Tensor.Where(isNumber, x, Tensor.Scalar(1, x.DType)).Pow(exponent - 1));
    }

    protected override Tensor Right(OpNode node, Tensor gradient)
    {
        var (x, y) = (node.Inputs[0], node.Inputs[1]);
        var isEdge = Tensor.Where(x.EqualTo(0), y.Detach(), Tensor.Scalar(-1, x.DType)).GreaterOrEqual(0);
        return gradient * (node.Output * Tensor.Where(isEdge, Tensor.Scalar(1, x.DType), x).Log());
    }

    private static Tensor Vjp<TOperator>(TOperator op, Tensor of, Tensor gradient, Tensor x, Tensor other)
        where TOperator : struct, ITernaryOperator
    {
        var result = Tensor.Empty(gradient.Shape, gradient.DType);
        Backend.Run(new Zip3<TOperator>(op), gradient, x, other, result);
        return result.SumTo(of.Shape);
    }

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Pow(x, y);
    }

    // x is the incoming gradient, y the base, z the exponent.
    private readonly struct LeftOperator : ITernaryOperator
    {
        public V Invoke<V>(V x, V y, V z) where V : struct, ILanes<V> =>
            V.Select(V.Equal(z, V.Splat(0)), V.Splat(0), x * (z * V.Pow(y, z - V.Splat(1))));
    }

    // x is the incoming gradient, y the base, z the power: of the base ±0 it is ±0 or 1 for exponents from 0 on, and ±∞
    // below.
    private readonly struct RightOperator : ITernaryOperator
    {
        public V Invoke<V>(V x, V y, V z) where V : struct, ILanes<V>
        {
            var product = x * (z * V.Log(y));
            var edge = V.Select(V.LessEqual(V.Abs(z), V.Splat(1)), V.Splat(0), product);
            return V.Select(V.Equal(y, V.Splat(0)), edge, product);
        }
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// xʸ, element by element, broadcast: exact where the result is representable, else within one unit in the last
        /// place. NaN for a finite x &lt; 0, unless y is whole; special values as the C standard has them.
        /// </summary>
        /// <param name="y">The exponents; their shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the floating type that both promote to.</returns>
        public Tensor Pow(Tensor y) => Op.Apply(PowerOfTensorsOp.Instance, x, y);
    }
}
