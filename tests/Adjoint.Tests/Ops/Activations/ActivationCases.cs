using System.Numerics;
using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class ActivationCases
{
    internal static OpCase[] Rows { get; } =
    [
        OpCase.Unary("Tanh", Math.Tanh) with { Goldens = [new("Tanh")] },
        OpCase.Unary("Sigmoid", a => 1 / (1 + Math.Exp(-a))) with { Goldens = [new("Sigmoid")] },
        OpCase.Unary("Relu", a => Math.Max(a, 0), AwayFromKinks) with
        {
            Types = OpCase.Numbers, Exact = (x, _) => BigInteger.Max(x, 0), Goldens = [new("Relu")],
            Conventions = [new("", x => x[0] == 0, "0 at the kink, where the operator's max shares")],
        },
        OpCase.Unary("Relu6", a => Math.Min(Math.Max(a, 0), 6), AwayFrom(0, 6)) with
        {
            Types = OpCase.Numbers, Exact = (x, _) => BigInteger.Min(BigInteger.Max(x, 0), 6),
            Goldens =
            [
                new("Relu6", null, new Difference("gradient", x => x.Any(double.IsNaN),
                    "as that of ReLU; PyTorch's is 0 in long tensors, and passes in short ones")),
            ],
            Conventions = [new("", x => x[0] == 0, "0 at the kink, where the operator's max shares")],
        },
        OpCase.Unary("LeakyRelu", a => a > 0 ? a : 0.01 * a, AwayFromKinks) with
        {
            Goldens = [new("LeakyRelu", x => x[0].LeakyRelu(0.1))], Variants = [new LeakyReluOp(-2)],
        },
        OpCase.Unary("LeakyRelu, of slope 0.1", a => a > 0 ? a : 0.1 * a, AwayFromKinks, x => x.LeakyRelu(0.1)) with
        {
            IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        OpCase.Unary("Elu", a => a > 0 ? a : Math.Exp(a) - 1, AwayFromKinks) with
        {
            Variants = [new EluOp(0.5)],
            Goldens =
            [
                new("Elu", null,
                    new Difference("gradient", x => x.Any(double.IsNaN),
                        "PyTorch passes the gradient of a NaN in short tensors, and gives NaN in long ones"),
                    new Difference("value", x => Math.Abs(x[0]) < 1e-4,
                        "eˣ − 1 without cancellation; PyTorch rounds eˣ first")),
            ],
            Conventions =
            [
                new("second", x => Math.Abs(x[0]) < 1e-16, "the operator is x itself there, without a curve"),
            ],
        },
        OpCase.Unary("Gelu", a => a * Phi(a)) with { Goldens = [new("Gelu")] },
        OpCase.Unary("GeluTanh", a => 0.5 * a * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a))),
            call: x => x.GeluTanh()) with { Types = OpCase.Numbers, Goldens = [new("GeluTanh")] },
        OpCase.Unary("NormalCdf", Phi) with { Goldens = [new("NormalCdf")] },
        OpCase.Unary("Silu", a => a / (1 + Math.Exp(-a))) with { Goldens = [new("Silu")] },
        OpCase.Unary("HardSigmoid", a => Math.Min(Math.Max(a + 3, 0), 6) / 6, AwayFrom(-3, 3)) with
        {
            Goldens =
            [
                new("HardSigmoid", null, new Difference("gradient", x => Math.Abs(x[0]) < 3,
                    "PyTorch's 1/6 is that of float32 in float64, too")),
            ],
        },
        OpCase.Unary("HardSwish", a => a * Math.Min(Math.Max(a + 3, 0), 6) / 6, AwayFrom(-3, 3)) with
        {
            Goldens =
            [
                new("HardSwish", null,
                    new Difference("gradient", x => Math.Abs(x[0]) == 3,
                        "the slopes outside; PyTorch's are these in long tensors, and those inside in short ones"),
                    new Difference("value", x => x[0] is > 1e38 and < double.PositiveInfinity,
                        "x itself; PyTorch multiplies by 6 first, which overflows")),
            ],
        },
        OpCase.Unary("Softplus", a => Math.Log(1 + Math.Exp(a))) with
        {
            Goldens = [new("Softplus")],
            Conventions =
            [
                new("second", x => x[0] == 0, "|x| and max(x, 0) have kinks there, which cancel in the sum"),
            ],
        },
        new("Mask", x => x[0].MaskedBy(new ReluOp.Vjp(), x[1].Detach()), [[4], [4]],
            x => [.. x[0].Zip(x[1], (g, y) => y > 0 ? g : 0)])
        {
            Domain = AwayFromKinks, SpecialPoints = SpecialPoints.Moved,
        },
    ];
}
