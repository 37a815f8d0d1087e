using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// Functions that are recorded once and then replayed: see <see cref="CapturedFunction{TResult}"/>.
/// </summary>
public static class CapturedFunction
{
    /// <summary>Of no tensor: all that it computes with comes from outside, or is drawn.</summary>
    /// <typeparam name="TResult">A tensor, a tuple of two to four, or an array.</typeparam>
    /// <param name="function">What is to be computed.</param>
    /// <param name="fallBackToEager">
    /// Whether a function that cannot be captured runs eagerly, with the reason in
    /// <see cref="CapturedFunction{TResult}.Refusal"/>, instead of throwing.
    /// </param>
    /// <exception cref="AdjointException"><typeparamref name="TResult"/> is something else.</exception>
    public static CapturedFunction<TResult> Create<TResult>(Func<TResult> function, bool fallBackToEager = false) =>
        new(_ => function(), inputs: 0, fallBackToEager);

    /// <summary>Of one tensor.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0]), inputs: 1, fallBackToEager);

    /// <summary>Of two tensors, such as samples and labels.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0], given[1]), inputs: 2, fallBackToEager);

    /// <summary>Of three tensors.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, Tensor, Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0], given[1], given[2]), inputs: 3, fallBackToEager);

    /// <summary>Of four tensors.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor, Tensor, Tensor, Tensor, TResult> function, bool fallBackToEager = false) =>
        new(given => function(given[0], given[1], given[2], given[3]), inputs: 4, fallBackToEager);

    /// <summary>Of any number of tensors, which may differ from call to call.</summary>
    /// <inheritdoc cref="Create{TResult}(Func{TResult}, bool)"/>
    public static CapturedFunction<TResult> Create<TResult>(
        Func<Tensor[], TResult> function, bool fallBackToEager = false) => new(function, inputs: null, fallBackToEager);
}

/// <summary>
/// A function of tensors that is recorded once and then replayed, inference, gradients, or a whole training step with
/// clipping and the optimiser in it: a fixed list of operations over buffers that were placed once, those that are not
/// needed at the same time in the same memory, element-wise chains fused into one pass, no graph and no garbage. A
/// replay gives the same bits as the function itself: results, gradients, parameters, random numbers.
/// </summary>
/// <remarks>
/// <para>
/// For each combination of shapes and types the first call runs eagerly, the second records, later ones replay a plan;
/// <see cref="MostPlans"/> are kept, so that the smaller last batch of an epoch has its own; while more combinations
/// take turns, the others run eagerly, and <see cref="Refusal"/> says so. Results are the caller's, and come without a
/// graph. What a function leaves in <c>.Grad</c> is the plan's: the next replay overwrites it. An input that is asked
/// for a gradient inside is so only there: return its gradient as a result.
/// </para>
/// <para>
/// Tensors from outside, parameters among them, are read and written where they lie. Learning rates, step counts and
/// random numbers are those of the call. What else decides what is computed is guarded: where NoGrad, a module's
/// training mode or hooks, whether a parameter is frozen, or the gradient that it begins with is not as it was,
/// another plan is taken or recorded.
/// </para>
/// <para>
/// Other numbers of the program, and which tensor a field holds, are taken as they were when the function was recorded:
/// pass what changes from call to call as an argument (<c>Tensor.Scalar(weight)</c>), or write it into a tensor in
/// place. Hooks run when it is recorded; what they compute is replayed, what else they do is not.
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

    /// <summary>The most plans that are kept: 8.</summary>
    public const int MostPlans = PlanCache.Most;

    /// <summary>How many plans there are.</summary>
    public int Plans => plans.Count;

    /// <summary>Whether there is a plan that calls replay.</summary>
    public bool IsCaptured => plans.Count > 0;

    /// <summary>
    /// Why the function runs eagerly, for good or with the inputs of the last call; null where it does not, and for the
    /// first call.
    /// </summary>
    public string? Refusal => plans.Refusal;

    /// <summary>How many operations a replay of the plan used last runs.</summary>
    public int Operations => plans.Latest?.Operations ?? 0;

    /// <summary>Bytes of the buffers that the plans own.</summary>
    public long PlannedBytes => plans.Bytes;

    /// <summary>How the calls so far were computed.</summary>
    public CaptureReport Report => plans.Report;

    /// <summary>How the plan used last places what lives only within a replay.</summary>
    internal SlabLayout? Layout => plans.Latest?.Layout;

    /// <summary>
    /// Computes the function. Within another captured function it is part of that one.
    /// </summary>
    /// <param name="given">The inputs, none of which requires a gradient.</param>
    /// <exception cref="CaptureException">
    /// The function cannot be captured, and falling back is not allowed.
    /// </exception>
    /// <exception cref="AdjointException">
    /// It takes another number of tensors; memory of one that it reads was recycled; another thread is running it; or
    /// what the function itself throws.
    /// </exception>
    public TResult Run(params ReadOnlySpan<Tensor> given)
    {
        if (inputs is { } count && given.Length != count)
            throw new AdjointException(
                $"CapturedFunction: it takes {count} tensor{(count == 1 ? "" : "s")}: found {given.Length}");
        if (Execution.Current.Arena is not null)
            return CapturedResults<TResult>.FromArray(PlanCache.RunEagerly(function, given));
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new AdjointException(
                "CapturedFunction: it is running already, on another thread or further up, and has one set of buffers; "
                + "create one for each thread");
        try
        {
            return CapturedResults<TResult>.FromArray(plans.Run(given));
        }
        finally
        {
            Volatile.Write(ref running, 0);
        }
    }
}
