#:project ../src/Adjoint/Adjoint.csproj
// A custom view: sliding windows along the last axis. It copies nothing, whatever the size of the windows; a mean over
// them is a moving average.
using Adjoint;

var x = Tensor.From(new[] { 1f, 2, 4, 8, 16 }).RequireGrad();
Tensor Windows(Tensor x, int size) => Op.Apply(new WindowsOp(size), x);

var windows = Windows(x, 3);
windows.Mean(-1).Sum().Backward();
Console.WriteLine($"windows\n{windows}\nof a moving average the gradient is {x.Grad}");

var check = GradCheck.Run(
    inputs => Windows(inputs[0].Transpose(), 4).Square(), [Tensor.Randn([6, 2], new Generator(1), DType.Float64)]);
Console.WriteLine(check.Passed ? "agrees with finite differences" : $"differs: {check.Worst}");

var w = Tensor.Randn([64], new Generator(2)).RequireGrad();
Tensor Gradient(Tensor x)
{
    w.ZeroGrad();
    Windows(x * w, 5).Mean(-1).Square().Sum().Backward();
    return w.Grad!;
}

var captured = CapturedFunction.Create(Gradient);
var isSame = Enumerable.Range(0, 4).Select(_ => Tensor.Randn(64))
    .All(x => captured.Run(x).ToArray<float>().SequenceEqual(Gradient(x).ToArray<float>()));
Console.WriteLine(isSame && captured.IsCaptured ? "captured: the same bits" : "captured: it differs");

sealed class WindowsOp(int size) : ViewOp
{
    public override string Name => "Windows";
    public override string Formula => "y[…, i, j] = x[…, i + j]";
    public override string Derivation => "∂L/∂x[…, k] = Σ over i + j = k of g[…, i, j]";

    // The shape and the strides: a step along either of the last two axes is a step along the last axis of x.
    protected override ViewLayout Layout(Tensor x)
    {
        if (x.Rank == 0 || x.Shape[^1] < size)
            throw new AdjointException($"Windows: a last axis of at least {size} is needed: found {x.Shape}");
        return new([.. x.Shape.Sizes[..^1], x.Shape[^1] - size + 1, size], [.. x.Strides, x.Strides[^1]]);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var shifted = Enumerable.Range(0, size).Select(j => gradient.Select(-1, j).PadAxis(-1, j, size - 1 - j));
        return [shifted.Aggregate((sum, part) => sum + part)];
    }
}
