using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// A training step that is recorded once and then replayed: forward and backward as a fixed list of operations over
/// buffers that were placed once, those that are not needed at the same time in the same memory,
/// element-wise chains fused into one pass, no graph and no allocation. A replay gives the same bits as the eager step.
/// </summary>
/// <remarks>
/// The first call runs eagerly, the second records, later ones replay. Tensors from outside, parameters among them, are
/// read where they lie each time the step runs; numbers are constants, random numbers are drawn anew. Gradients of the
/// parameters replace those of the call before (<c>ZeroGrad</c> is not needed); other leaves get none. Only the loss
/// and these gradients come out of a step: a tensor that the function stores elsewhere is not computed again. Where a
/// parameter or a layer was frozen, unfrozen, hooked or switched between training and use, the step is recorded anew.
/// </remarks>
public sealed class CapturedStep
{
    private readonly Func<Tensor, Tensor, Tensor> loss;
    private readonly Tensor[] parameters;
    private readonly bool fallBackToEager;
    private CapturedPlan? plan;
    private int calls;
    private int running;

    private CapturedStep(Func<Tensor, Tensor, Tensor> loss, Tensor[] parameters, bool fallBackToEager) =>
        (this.loss, this.parameters, this.fallBackToEager) = (loss, parameters, fallBackToEager);

    /// <summary>Prepares a step.</summary>
    /// <param name="loss">From inputs and labels to the loss, a scalar.</param>
    /// <param name="parameters">The leaves whose gradients are wanted.</param>
    /// <param name="fallBackToEager">Whether a step that cannot be captured, or a batch of another shape, runs eagerly instead of being refused.</param>
    /// <exception cref="AdjointException">A parameter is no leaf.</exception>
    public static CapturedStep Create(
        Func<Tensor, Tensor, Tensor> loss, IEnumerable<Tensor> parameters, bool fallBackToEager = false)
    {
        Tensor[] own = [.. parameters.Distinct()];
        foreach (var parameter in own)
            if (parameter is { RequiresGrad: true, Source: { } source })
                throw new AdjointException(
                    $"CapturedStep: parameters are leaves: found {parameter.Name ?? parameter.Shape.ToString()}, made "
                    + $"by {source.Op.Name}; pass the leaves that it is made of");
        return new(loss, own, fallBackToEager);
    }

    /// <summary>Whether calls replay a plan.</summary>
    public bool IsCaptured => plan is not null;

    /// <summary>Why the step runs eagerly, or null.</summary>
    public string? Refusal { get; private set; }

    /// <summary>How many operations a replay runs.</summary>
    public int Operations => plan?.Operations ?? 0;

    /// <summary>Bytes of the buffers that the plan owns.</summary>
    public long PlannedBytes => plan?.Bytes ?? 0;

    /// <summary>How the plan places what lives only within a replay.</summary>
    internal SlabLayout? Layout => plan?.Layout;

    /// <summary>Computes the loss, which comes without a graph, and the parameters' gradients.</summary>
    /// <exception cref="CaptureException">The step cannot be captured, or the batch has another shape or type, and falling back is not allowed.</exception>
    /// <exception cref="AdjointException">
    /// The memory of a tensor that the step reads was recycled, or another thread is running the step.
    /// </exception>
    public Tensor Run(Tensor x, Tensor y)
    {
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new AdjointException(
                "CapturedStep: it is running already, on another thread or further up, and has one set of buffers; "
                + "create one for each thread");
        try
        {
            return RunAlone(x, y);
        }
        finally
        {
            Volatile.Write(ref running, 0);
        }
    }

    private Tensor RunAlone(Tensor x, Tensor y)
    {
        Arena.RefuseWithin("it runs another captured step");
        // A replay checks no results and takes no notice of NoGrad, which the eager step refuses.
        if (Refusal is not null || calls++ == 0 || AnomalyMode.IsEnabled || !GradMode.IsEnabled) return Eager(x, y);
        if (Misfit(x, y) is { } misfit) return fallBackToEager ? Eager(x, y) : throw new CaptureException(misfit);
        if (plan is { IsCurrent: true }) return plan.Replay(x, y);
        try
        {
            // Recording computes too: what the step writes in place must be written once.
            plan = null;
            plan = CapturedPlan.Record(loss, parameters, x, y);
            return plan.Loss;
        }
        catch (CaptureException error) when (fallBackToEager)
        {
            Refusal = error.Reason;
            return Eager(x, y);
        }
    }

    private string? Misfit(Tensor x, Tensor y)
    {
        foreach (var input in (ReadOnlySpan<Tensor>)[x, y])
        {
            if (input is { RequiresGrad: true, Source: { } source })
                return $"an input was made by {source.Op.Name} and takes part in a graph; pass it .Detach()ed, or make "
                    + "it inside the step";
            if (parameters.Contains(input))
                return "an input is one of the parameters, too; let the function take the parameter from outside";
        }
        return plan?.Misfit(x, y);
    }

    private Tensor Eager(Tensor x, Tensor y)
    {
        foreach (var parameter in parameters) parameter.ZeroGrad();
        var value = loss(x, y);
        Differentiation.BackwardTo(value, parameters.ToHashSet());
        return value.Detach();
    }
}
