#:project ../src/Adjoint/Adjoint.csproj
// A custom op that is not element-wise, an exponential moving average: a primitive with its checks and its body over
// spans, and the op that uses it.
using System.Numerics;
using Adjoint;
using Adjoint.Primitives;

Tensor Average(Tensor x) => Op.Apply(new AverageOp(alpha: 0.25), x);

Console.WriteLine(Average(Tensor.From(new[] { 1f, 0, 0, 8, 0 })));
Tensor[] at = [Tensor.Randn([3, 6], new Generator(1), DType.Float64)];
var check = GradCheck.Run(x => Average(x[0].Transpose()).Square(), at);
Console.WriteLine(check.Passed ? "agrees with finite differences" : $"differs: {check.Worst}");

var w = Tensor.Randn([20, 50], new Generator(2)).RequireGrad();
Tensor Gradient(Tensor x)
{
    w.ZeroGrad();
    Average(x * w).Square().Sum().Backward();
    return w.Grad!;
}

var captured = CapturedFunction.Create(Gradient);
var isSame = Enumerable.Range(0, 4).Select(_ => Tensor.Randn(20, 50))
    .All(x => captured.Run(x).ToArray<float>().SequenceEqual(Gradient(x).ToArray<float>()));
Console.WriteLine(isSame && captured.IsCaptured ? "captured: the same bits" : "captured: it differs");

sealed class AverageOp(double alpha, bool isReversed = false) : Op
{
    public override string Name => "Average";
    public override string Formula => "y[k] = α·x[k] + (1 − α)·y[k − 1] along the last axis, y[−1] = 0";
    public override string Derivation => "∂L/∂x[k] = α·h[k], h[k] = g[k] + (1 − α)·h[k + 1]: the same, in reverse";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => inputs[0].Rank > 0
        ? new(inputs[0].Shape, inputs[0].DType)
        : throw new AdjointException($"Average: an axis is needed: found {inputs[0].Shape}");

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Average(alpha, isReversed), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new AverageOp(alpha, !isReversed), gradient)];
}

readonly record struct Average(double Alpha, bool IsReversed) : ISpanPrimitive<Average>
{
    public static string Name => "Average";

    public static void Check(in Average primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, count: 2);
        Operands.Result(Name, operands[1]!);
        Operands.SameTypeAndShape(Name, "x", operands[0]!, operands[1]!);
    }

    public static void Run<T>(in Average primitive, Elements elements)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = elements.Read<T>(0);
        var y = elements.Write<T>(1);
        var (columns, alpha) = (elements[1]!.Shape[^1], T.CreateTruncating(primitive.Alpha));
        for (var row = 0; row < x.Length; row += columns)
        {
            var last = T.Zero;
            for (var k = 0; k < columns; k++)
            {
                var i = row + (primitive.IsReversed ? columns - 1 - k : k);
                y[i] = last = alpha * x[i] + (T.One - alpha) * last;
            }
        }
    }
}
