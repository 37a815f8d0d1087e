namespace Adjoint.Nn;

/// <summary>
/// A module with one tensor in and one out, which <see cref="Sequential"/> takes. Implement <see cref="ForwardCore"/>,
/// call <see cref="Forward"/>. A module with another signature derives from <see cref="Module"/>.
/// </summary>
public abstract class Layer : Module
{
    /// <summary>Computes the layer's output, with its hooks around it.</summary>
    /// <param name="x">The input, of the shape that the layer takes.</param>
    /// <returns>The output, of the layer's shape rule.</returns>
    /// <exception cref="AdjointException">
    /// The input does not fit a layer; the message begins with the layer's path, such as <c>features.3.conv</c>.
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
    /// Calls a function with layer, input and output after each <see cref="Forward"/>; a result that is not null
    /// replaces the output.
    /// </summary>
    /// <param name="hook">Takes layer, input and output, and returns a replacement or null.</param>
    /// <returns>Dispose of it to remove the hook.</returns>
    public IDisposable RegisterForwardHook(Func<Layer, Tensor, Tensor, Tensor?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return RegisterForwardHook((Module _, IReadOnlyList<Tensor?> inputs, IReadOnlyList<Tensor> outputs) =>
            hook(this, inputs[0]!, outputs[0]) is { } y ? [y] : null);
    }

    /// <summary>
    /// Calls a function with layer and ∂loss/∂output when that gradient arrives; a result that is not null replaces it.
    /// </summary>
    /// <param name="hook">Takes layer and gradient, and returns a replacement or null.</param>
    /// <returns>Dispose of it to remove the hook from later calls of <see cref="Forward"/>.</returns>
    public IDisposable RegisterBackwardHook(Func<Layer, Tensor, Tensor?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return RegisterBackwardHook((Module _, int _, Tensor gradient) => hook(this, gradient));
    }

    /// <summary>
    /// A table of layers, output shapes and numbers of parameters. Output shapes are found by a forward pass of zeros
    /// of the given shape and of the parameters' type, in evaluation mode, without gradients. A shared parameter is
    /// counted once, in the first layer that has it.
    /// </summary>
    /// <param name="inputShape">The shape of an input, its batch axis included.</param>
    /// <returns>The table, over several lines.</returns>
    /// <exception cref="AdjointException">
    /// The layer does not take floating-point numbers of that shape; use the overload that takes a call.
    /// </exception>
    public string Summary(params ReadOnlySpan<int> inputShape)
    {
        var x = Tensor.Zeros(inputShape.ToArray(), DType);
        return Summary(() => Forward(x));
    }

    /// <summary>The computation of this kind of layer.</summary>
    /// <param name="x">The input, of the shape that the layer takes.</param>
    /// <returns>The output, computed by ops.</returns>
    protected abstract Tensor ForwardCore(Tensor x);
}
