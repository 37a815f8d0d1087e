namespace Adjoint.Nn;

/// <summary>
/// The module with one tensor in and one out, which <see cref="Sequential"/> takes. Write <see cref="ForwardCore"/>,
/// call <see cref="Forward"/>. A module with another signature extends <see cref="Module"/>.
/// </summary>
public abstract class Layer : Module
{
    /// <summary>What the layer computes, with its hooks around it.</summary>
    /// <exception cref="AdjointException">
    /// An input does not fit a layer; the message begins with the layer's path, such as <c>features.3.conv</c>.
    /// </exception>
    public Tensor Forward(Tensor x)
    {
        using var call = new ModuleCall(this);
        Tensor y;
        try
        {
            y = ForwardCore(x);
        }
        catch (AdjointException error)
        {
            call.Explain(error);
            throw;
        }
        call.End(new(ref x!), new(ref y));
        return y;
    }

    /// <summary>
    /// Calls <paramref name="hook"/> with layer, input and output after each <see cref="Forward"/>; what it returns,
    /// unless null, replaces the output.
    /// </summary>
    /// <returns>Dispose it to remove the hook.</returns>
    public IDisposable RegisterForwardHook(Func<Layer, Tensor, Tensor, Tensor?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return RegisterForwardHook((Module _, IReadOnlyList<Tensor?> inputs, IReadOnlyList<Tensor> outputs) =>
            hook(this, inputs[0]!, outputs[0]) is { } y ? [y] : null);
    }

    /// <summary>
    /// Calls <paramref name="hook"/> with layer and ∂loss/∂output when it arrives; what it returns, unless null,
    /// replaces it.
    /// </summary>
    /// <returns>Dispose it to remove the hook from later calls of <see cref="Forward"/>.</returns>
    public IDisposable RegisterBackwardHook(Func<Layer, Tensor, Tensor?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return RegisterBackwardHook((Module _, int _, Tensor gradient) => hook(this, gradient));
    }

    /// <summary>
    /// A table of layers, output shapes and numbers of parameters, found by sending zeros of the given shape through,
    /// of the type of the parameters, in use, without gradients. Parameters that an earlier layer counts already are
    /// not counted again.
    /// </summary>
    /// <exception cref="AdjointException">
    /// The layer does not take floating-point numbers of that shape; give a call that it takes.
    /// </exception>
    public string Summary(params ReadOnlySpan<int> inputShape)
    {
        var x = Tensor.Zeros(inputShape.ToArray(), DType);
        return Summary(() => Forward(x));
    }

    /// <summary>The computation of this kind of layer.</summary>
    protected abstract Tensor ForwardCore(Tensor x);
}
