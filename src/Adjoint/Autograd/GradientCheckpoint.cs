namespace Adjoint;

/// <summary>
/// Memory for time (Chen et al. 2016): what a part of a network computes on its way is not kept for
/// <c>Backward()</c>, which computes it again. A stack of L blocks, each within <see cref="Run(Func{Tensor, Tensor},
/// Tensor)"/>, keeps L inputs of blocks and the intermediate results of one block, in place of those of all; training
/// takes about one more forward pass.
/// </summary>
/// <remarks>
/// <para>
/// Values, gradients and parameters are the same bits as without. The second time, operations are repeated, not the
/// function: nothing that it does besides computing happens twice, dropout drops the same elements, and statistics of
/// batches move once. All else is as without, too: parameters that the function finds elsewhere get their gradients,
/// <c>retainGraph</c>, hooks, checkpoints within checkpoints, captured functions. With <c>createGraph</c>, what was
/// computed again stays for the graph of the gradients, and so saves no memory.
/// </para>
/// <para>
/// A tensor from inside that is kept elsewhere than in the results cannot be read after the call, unless
/// <see cref="Tensor.Keep"/> was called on it. Without gradients (<see cref="NoGrad"/>), and where all is to be seen
/// (<see cref="Tracing"/>, <see cref="RecordGraph"/>), the function is just called.
/// </para>
/// </remarks>
public static class GradientCheckpoint
{
    /// <summary>Applies a function, whose intermediate results <c>Backward()</c> computes again.</summary>
    /// <param name="function">Computes with tensors: a layer's <c>Forward</c>, for example.</param>
    /// <param name="x">What it is applied to.</param>
    /// <returns>What the function returns.</returns>
    /// <exception cref="AdjointException">
    /// The function returned null. In <c>Backward()</c>: something that it read was changed in place since.
    /// </exception>
    public static Tensor Run(Func<Tensor, Tensor> function, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Run(given => [function(given[0])], [x])[0];
    }

    /// <summary>As <see cref="Run(Func{Tensor, Tensor}, Tensor)"/>, for several tensors in and out.</summary>
    /// <param name="function">Computes with tensors.</param>
    /// <param name="inputs">What it is applied to.</param>
    /// <returns>What the function returns.</returns>
    /// <exception cref="AdjointException">
    /// As for <see cref="Run(Func{Tensor, Tensor}, Tensor)"/>.
    /// </exception>
    public static Tensor[] Run(Func<Tensor[], Tensor[]> function, params Tensor[] inputs)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        var execution = Execution.Current;
        if (execution.NoGrad.IsOn || execution.RecordGraph.IsOn || execution.Trace is not null)
            return Checked(function(inputs));
        var region = new CheckpointRegion(execution);
        var results = region.Watch(() => Checked(function(inputs)));
        region.Close(results);
        return results;
    }

    private static Tensor[] Checked(Tensor[] results) =>
        results is not null && Array.TrueForAll(results, result => result is not null)
            ? results
            : throw new AdjointException("GradientCheckpoint: the function returned null in the place of a tensor");
}
