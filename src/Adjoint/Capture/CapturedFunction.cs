using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// Creates functions that are recorded once and then replayed: see <see cref="CapturedFunction{TResult}"/>.
/// </summary>
public static class CapturedFunction
{
    /// <summary>
    /// Captures a function without arguments: what it computes with comes from outside, or is drawn at random.
    /// </summary>
    /// <typeparam name="TResult">A tensor, a tuple of two to four, or an array.</typeparam>
    /// <param name="function">The function to capture.</param>
    /// <param name="fallBackToEager">
    /// Whether a function that cannot be captured runs eagerly, with the reason in
    /// <see cref="CapturedFunction{TResult}.Refusal"/>, instead of throwing.
    /// </param>
    /// <returns>The captured function, to call with <c>Run</c>.</returns>
    /// <exception cref="AdjointException"><typeparamref name="TResult"/> is something else.</exception>
    public static CapturedFunction<TResult> Create<TResult>(Func<TResult> function, bool fallBackToEager = false) =>
        new(_ => function(), inputs: 0, fallBackToEager);

    /// <summary>Captures a function of one tensor.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0]), inputs: 1, fallBackToEager);

    /// <summary>Captures a function of two tensors, such as samples and labels.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0], given[1]), inputs: 2, fallBackToEager);

    /// <summary>Captures a function of three tensors.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, Tensor, Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0], given[1], given[2]), inputs: 3, fallBackToEager);

    /// <summary>Captures a function of four tensors.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, Tensor, Tensor, Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0], given[1], given[2], given[3]), inputs: 4, fallBackToEager);

    /// <summary>Captures a function of any number of tensors, which may differ from call to call.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor[], TResult> function, bool fallBackToEager = false) => new(function, inputs: null, fallBackToEager);
}

/// <summary>
/// A function of tensors that is recorded once and then replayed: inference, gradients, or a whole training step with
/// clipping and the optimizer in it. A plan is a fixed list of operations over buffers whose places are fixed, too:
/// buffers that are not needed at the same time share memory, element-wise chains are fused into one pass, and a replay
/// builds no graph and leaves no garbage. It gives the same bits as the function itself: results, gradients,
/// parameters, random numbers.
/// </summary>
/// <remarks>
/// <para>
/// For each combination of shapes and types the first call runs eagerly, the second records, and later ones replay a
/// plan. <see cref="MaxPlans"/> plans are kept, so that the smaller last batch of an epoch has its own; beyond that,
/// calls run eagerly, and <see cref="Refusal"/> says so. Results belong to the caller, and have no graph. A gradient
/// that the function leaves in <c>.Grad</c> belongs to the plan: the next replay overwrites it. An input that is asked
/// for a gradient inside the function requires it only there: return its gradient as a result.
/// </para>
/// <para>
/// Tensors from outside, such as parameters, are read and written in place. Learning rates, step counts and random
/// numbers are those of the call. Whatever else decides what is computed is guarded: when NoGrad, a module's training
/// mode or hooks, whether a parameter is frozen, or an initial gradient has changed, another plan is taken or recorded.
/// </para>
/// <para>
/// Other numbers of the program, and which tensor a field holds, stay as they were when the function was recorded: pass
/// what changes from call to call as an argument (<c>Tensor.Scalar(weight)</c>), or write it into a tensor in place.
/// Hooks run while the function is recorded; what they compute is replayed, their other effects are not.
/// </para>
/// </remarks>
/// <typeparam name="TResult">A tensor, a tuple of two to four, or an array.</typeparam>
public sealed class CapturedFunction<TResult>
{
    private readonly Func<Tensor[], Tensor[]> function;
    private readonly int? inputs;
    private readonly PlanCache plans;
    private int running;

    internal CapturedFunction(Func<Tensor[], TResult> function, int? inputs, bool fallBackToEager)
    {
        CapturedResults<TResult>.Require();
        this.function = given => CapturedResults<TResult>.ToArray(function(given));
        this.inputs = inputs;
        plans = new(this.function, fallBackToEager);
    }

    /// <summary>The largest number of plans that are kept: 8.</summary>
    public const int MaxPlans = PlanCache.MaxPlans;

    /// <summary>The number of plans that are kept.</summary>
    public int Plans => plans.Count;

    /// <summary>Whether there is a plan that calls replay.</summary>
    public bool IsCaptured => plans.Count > 0;

    /// <summary>
    /// Why the function runs eagerly, for good or with the inputs of the last call; null where it does not, and for the
    /// first call.
    /// </summary>
    public string? Refusal => plans.Refusal;

    /// <summary>The number of operations in a replay of the plan used last.</summary>
    public int Operations => plans.Latest?.Operations ?? 0;

    /// <summary>The bytes of the buffers that the plans own.</summary>
    public long PlannedBytes => plans.Bytes;

    /// <summary>How the calls so far were computed.</summary>
    public CaptureReport Report => plans.Report;

    /// <summary>How the plan used last places what lives only within a replay.</summary>
    internal SlabLayout? Layout => plans.Latest?.Layout;

    /// <summary>
    /// Computes the function. Within another captured function it becomes part of that one; within
    /// <see cref="GradientCheckpoint"/> it runs eagerly.
    /// </summary>
    /// <param name="inputs">The inputs, none of which requires a gradient.</param>
    /// <returns>The results, without a graph; they belong to the caller.</returns>
    /// <exception cref="CaptureException">
    /// The function cannot be captured, and falling back is not allowed.
    /// </exception>
    /// <exception cref="AdjointException">
    /// It takes another number of tensors; memory of one that it reads was recycled; another thread is running it; or
    /// what the function itself throws.
    /// </exception>
    public TResult Run(params ReadOnlySpan<Tensor> inputs)
    {
        if (this.inputs is { } count && inputs.Length != count)
            throw new AdjointException(
                $"CapturedFunction: it takes {count} tensor{(count == 1 ? "" : "s")}: found {inputs.Length}");
        if (Execution.Current is { Arena: not null } or { Checkpoint: not null })
            return CapturedResults<TResult>.FromArray(PlanCache.RunEagerly(function, inputs));
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new AdjointException(
                "CapturedFunction: it is already running, on another thread or in an outer call, and has only one set "
                + "of buffers; create one for each thread");
        try
        {
            return CapturedResults<TResult>.FromArray(plans.Run(inputs));
        }
        finally
        {
            Volatile.Write(ref running, 0);
        }
    }
}
