namespace Adjoint.Tests.Autograd;

/// <summary>
/// An op of a user's with three results: sine, cosine, and 1 where the sine is positive, which has no gradient.
/// </summary>
internal sealed class SinCosOp : MultiOp
{
    public override string Name => "SinCos";
    public override string Formula => "y₁ = sin x, y₂ = cos x, y₃ = 1 where sin x > 0";
    public override string Derivation => "∂L/∂x = g₁ · cos x − g₂ · sin x";
    public override Saves Saves => Saves.Output;

    internal static Tensor[] Of(Tensor x) => ApplyAll(new SinCosOp(), x);

    public override TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs)
    {
        var (shape, type) = (inputs[0].Shape, inputs[0].DType);
        return [new(shape, type), new(shape, type), new(shape, DType.Int64)];
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        var x = inputs[0].To(DType.Float64).ToArray<double>();
        outputs[0].CopyFrom<double>(Array.ConvertAll(x, Math.Sin));
        outputs[1].CopyFrom<double>(Array.ConvertAll(x, Math.Cos));
        outputs[2].CopyFrom<long>(Array.ConvertAll(x, value => Math.Sin(value) > 0 ? 1L : 0));
    }

    public override Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients)
    {
        var ofSine = gradients[0] is { } g1 ? g1 * node.Outputs[1] : null;
        var ofCosine = gradients[1] is { } g2 ? -(g2 * node.Outputs[0]) : null;
        return [ofSine is null ? ofCosine : ofCosine is null ? ofSine : ofSine + ofCosine];
    }
}
