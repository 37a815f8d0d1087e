namespace Adjoint.Nn;

/// <summary>
/// The feed-forward network of transformer layers: linear, activation, dropout, linear, dropout. Its parts are children
/// of the layer that it is in, as in PyTorch.
/// </summary>
internal readonly struct FeedForward(
    Linear first, FeedForwardActivation activation, Dropout between, Linear second, Dropout last)
{
    internal Tensor Forward(Tensor x)
    {
        var hidden = Activate(first.Forward(x), activation);
        return last.Forward(second.Forward(between.Forward(hidden)));
    }

    internal static Tensor Activate(Tensor x, FeedForwardActivation activation) => activation switch
    {
        FeedForwardActivation.Relu => x.Relu(),
        FeedForwardActivation.Gelu => x.Gelu(),
        FeedForwardActivation.GeluTanh => x.GeluTanh(),
        FeedForwardActivation.Silu => x.Silu(),
        _ => throw new AdjointException($"FeedForward: no activation is {(int)activation}"),
    };
}
