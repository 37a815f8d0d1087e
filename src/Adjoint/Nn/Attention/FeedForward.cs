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
        var hidden = first.Forward(x);
        hidden = activation switch
        {
            FeedForwardActivation.Relu => hidden.Relu(),
            FeedForwardActivation.Gelu => hidden.Gelu(),
            FeedForwardActivation.GeluTanh => hidden.GeluTanh(),
            FeedForwardActivation.Silu => hidden.Silu(),
            _ => throw new AdjointException($"FeedForward: no activation is {(int)activation}"),
        };
        return last.Forward(second.Forward(between.Forward(hidden)));
    }
}
