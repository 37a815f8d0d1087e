using System.Runtime.CompilerServices;
using Adjoint.Kernels;
using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint.Optim;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
public sealed class ParameterGroup
{
    private double? weightDecay;
    private double defaultDecay;

    /// <summary>
    /// Creates a group of parameters. One that is listed twice is in it once; a frozen one may be in it, and is
    /// skipped.
    /// </summary>
    /// <param name="parameters">Leaves that require a gradient, as <c>model.Parameters()</c>.</param>
    /// <param name="learningRate">The learning rate η, 0 or more.</param>
    /// <param name="weightDecay">
    /// The weight decay λ, as the optimizer defines it; null: the optimizer's default.
    /// </param>
    /// <exception cref="AdjointException">
    /// A rate is out of range, or a tensor is not a contiguous leaf whose gradient was asked for.
    /// </exception>
    public ParameterGroup(IEnumerable<Tensor> parameters, double learningRate, double? weightDecay = null)
    {
        Parameters = [.. parameters.Distinct()];
        LearningRate = learningRate;
        if (weightDecay is { } decay) WeightDecay = decay;
        foreach (var parameter in Parameters)
            if (parameter is { RequiresGrad: true, Source: { } source })
                throw Wrong(parameter, $"made by {source.Op.Name}; give the tensor that it was made from");
            else if (!parameter.IsParameter)
                throw Wrong(parameter, "which never required a gradient; call .RequireGrad() on it");
            else if (!parameter.IsContiguous)
                throw Wrong(parameter, "a view with gaps; give what .Detach().Contiguous().RequireGrad() makes of it");

        static AdjointException Wrong(Tensor parameter, string found) => new(
            "Optimizer: parameters are contiguous leaves that require a gradient, or did before they were frozen: "
            + $"found {parameter.Name ?? "one"} {parameter.Shape}, {found}");
    }

    /// <summary>
    /// Splits parameters into two groups: matrices and filters (two axes or more), which decay, and biases and scales
    /// of normalization, which do not (as usual since Goyal et al. 2017, §5.3): they are few, and pulling them to 0
    /// does not make the function simpler.
    /// </summary>
    /// <param name="parameters">The parameters of a model, as <c>model.Parameters()</c>.</param>
    /// <param name="learningRate">The learning rate of the first group.</param>
    /// <param name="weightDecay">The weight decay of the first group; the second has none.</param>
    /// <param name="biasRateFactor">The learning rate of the second group, divided by the first's.</param>
    /// <returns>The groups that are not empty, to give to an optimizer.</returns>
    public static IReadOnlyList<ParameterGroup> Split(IEnumerable<Tensor> parameters, double learningRate,
        double weightDecay, double biasRateFactor = 1)
    {
        var all = parameters.ToArray();
        return
        [
            new(all.Where(parameter => parameter.Rank > 1), learningRate, weightDecay),
            new(all.Where(parameter => parameter.Rank <= 1), learningRate * biasRateFactor, weightDecay: 0),
        ];
    }

    /// <summary>The parameters in the group, each once.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The learning rate η; it is read at each step, so a schedule may change it.</summary>
    /// <exception cref="AdjointException">The value is negative or not finite.</exception>
    public double LearningRate
    {
        get
        {
            if (Execution.Current.Arena is { IsComputing: false } recording) AssumeRates(recording, field, null);
            return field;
        }
        set
        {
            var (rate, before) = (Optimizer.Require(value, "learning rate", value >= 0), field);
            Backend.RunOnHost(nameof(LearningRate), () => field = rate, () => field = before);
        }
    }

    /// <summary>The weight decay λ, as the optimizer defines it.</summary>
    /// <exception cref="AdjointException">The value is negative or not finite.</exception>
    public double WeightDecay
    {
        get
        {
            var found = weightDecay ?? defaultDecay;
            if (Execution.Current.Arena is { IsComputing: false } recording) AssumeRates(recording, null, found);
            return found;
        }
        set
        {
            var (decay, before) = (Optimizer.Require(value, "weight decay", value >= 0), weightDecay);
            Backend.RunOnHost(nameof(WeightDecay), () => weightDecay = decay, () => weightDecay = before);
        }
    }

    /// <summary>
    /// Sets the decay that holds where none was given: that of the optimizer which has the group last.
    /// </summary>
    internal void Complete(double decay) => defaultDecay = decay;

    // A captured function that computes with such a number is recorded anew where it is another.
    private void AssumeRates(Arena recording, double? rate, double? decay) => recording.Assume(
        () => LearningRate == (rate ?? LearningRate) && WeightDecay == (decay ?? WeightDecay),
        "a learning rate or weight decay that it computes with");
}

/// <summary>
/// Changes parameters so that the loss falls. To write one with an element-wise rule, derive from
/// <see cref="Optimizer{TUpdate}"/>; for a rule that needs more, such as the norm of a whole gradient, override
/// <see cref="Update"/>. Groups, frozen parameters, schedules and state dictionaries come with either.
/// </summary>
public abstract class Optimizer
{
    private readonly Dictionary<Tensor, ParameterState> states = [];
    // Each group's rate over the first's, as it last was while the first was not 0.
    private double[] ratios;
    private int stepCount;

    /// <summary>Creates an optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups; a parameter is in one of them at most.</param>
    /// <param name="weightDecay">The weight decay λ of groups that set none.</param>
    /// <exception cref="AdjointException">There is no group, or a parameter is in two.</exception>
    protected Optimizer(IEnumerable<ParameterGroup> groups, double weightDecay = 0)
    {
        Arena.RefuseWithin(
            $"{GetType().Name} is created inside: its state would begin anew at each call, where a replay would "
            + "continue; create it outside");
        Groups = [.. groups];
        if (Groups.Count == 0)
            throw new AdjointException($"{GetType().Name}: at least one group of parameters is needed: found none");
        Require(weightDecay, "weight decay", weightDecay >= 0);
        var seen = new HashSet<Tensor>();
        for (var i = 0; i < Groups.Count; i++)
            foreach (var parameter in Groups[i].Parameters)
                if (!seen.Add(parameter))
                    throw new AdjointException(
                        $"{GetType().Name}: a parameter can be in one group only: found {parameter.Name ?? "one"} "
                        + $"{parameter.Shape} in group {i} and in one before it; leave it out of one");
        foreach (var group in Groups) group.Complete(weightDecay);
        ratios = Ratios() ?? [.. Groups.Select(_ => 1.0)];
    }

    /// <summary>The groups of parameters, in order.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The number of steps taken so far.</summary>
    public int StepCount
    {
        get
        {
            if (Execution.Current.Arena is { IsComputing: false } recording) AssumeSteps(recording, () => stepCount);
            return stepCount;
        }
    }

    /// <summary>
    /// The learning rate of the first group; setting it keeps the ratios of the groups' rates, through a rate of 0 too.
    /// </summary>
    /// <exception cref="AdjointException">
    /// It is out of range; or the first group's rate is 0 and another's is not, so that there is no ratio to keep.
    /// </exception>
    public double LearningRate
    {
        get => Groups[0].LearningRate;
        set
        {
            if (Ratios() is { } now) ratios = now;
            else if (Groups.Any(group => group.LearningRate > 0))
                throw new AdjointException(
                    $"{GetType().Name}: the rate of the first group is 0 and that of another is not, so they have no "
                    + "ratio to keep; set Groups[i].LearningRate");
            var rates = ratios.Select(ratio => Require(value * ratio, "learning rate", value >= 0)).ToArray();
            foreach (var (group, rate) in Groups.Zip(rates)) group.LearningRate = rate;
        }
    }

    /// <summary>
    /// Clears the gradients of all parameters. Skip it to accumulate the gradients of several batches.
    /// </summary>
    public void ZeroGrad()
    {
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters)
                parameter.ZeroGrad();
    }

    /// <summary>Updates every parameter that has a gradient and is not frozen, each in one pass over memory.</summary>
    public void Step()
    {
        using var _ = new NoGrad();
        var execution = Execution.Current;
        if (execution.Arena is null) stepCount = Next(stepCount);
        else CountInReplays();
        var cause = execution.BeginCause(GetType().Name);
        try
        {
            foreach (var group in Groups)
                foreach (var parameter in group.Parameters)
                {
                    execution.Journal?.NoteUse(parameter);
                    if (!parameter.RequiresGrad || parameter.Grad is not { } gradient) continue;
                    Update(group, parameter, gradient);
                }
        }
        finally
        {
            execution.EndCause(cause);
        }
    }

    /// <summary>Everything needed to resume the optimization, by name.</summary>
    /// <returns>A dictionary from name to tensor.</returns>
    public IReadOnlyDictionary<string, Tensor> StateDict()
    {
        var result = new Dictionary<string, Tensor> { ["steps"] = Tensor.Scalar(StepCount, DType.Int64) };
        var parameters = Groups.SelectMany(group => group.Parameters).ToArray();
        for (var i = 0; i < parameters.Length; i++)
            if (states.TryGetValue(parameters[i], out var state))
            {
                state.Follow(parameters[i]);
                for (var j = 0; j < state.Tensors.Length; j++) result[$"{i}.{j}"] = state.Tensors[j];
                if (state.Steps != StepCount) result[$"{i}.steps"] = Tensor.Scalar(state.Steps, DType.Int64);
            }
        return result;
    }

    /// <summary>Resumes where another optimizer of the same kind and parameters was; all or nothing.</summary>
    /// <param name="state">Tensors by name, as <see cref="StateDict"/> gives them.</param>
    /// <exception cref="AdjointException">
    /// A state does not fit its parameter, or is not one of this optimizer's.
    /// </exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        Arena.RefuseWithin(
            $"the state of {GetType().Name} is loaded inside, which a replay would not do; load it outside");
        var parameters = Groups.SelectMany(group => group.Parameters).ToArray();
        var steps = Steps("steps")
            ?? throw new AdjointException("Optimizer: the state has no entry 'steps'; was it saved by an optimizer?");
        var loaded = new Dictionary<Tensor, ParameterState>();
        var known = new HashSet<string> { "steps" };
        for (var i = 0; i < parameters.Length; i++)
        {
            // A parameter that never had a gradient has no state.
            var names = Enumerable.Range(0, StateCount).Select(j => $"{i}.{j}").ToArray();
            if (!names.Any(state.ContainsKey)) continue;
            // Where a parameter has no number of its own, it has taken part in every step.
            loaded[parameters[i]] = new([.. names.Select(name => Part(name, parameters[i]))])
            {
                Steps = Steps($"{i}.steps") ?? steps,
            };
            known.UnionWith(names.Append($"{i}.steps"));
        }
        if (state.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new AdjointException(
                $"Optimizer: {GetType().Name} of {parameters.Length} parameters has no state '{unknown}'; load what "
                + "the same optimizer of the same parameters saved (a parameter that layers share counts once)");
        stepCount = steps;
        states.Clear();
        foreach (var (parameter, own) in loaded) states[parameter] = own;

        Tensor Part(string name, Tensor parameter)
        {
            state.TryGetValue(name, out var value);
            var type = parameter.DType.Computing();
            return value is not null && value.Shape == parameter.Shape && value.DType == type
                ? value.Clone().To(parameter.Device).Keep()
                : throw new AdjointException(
                    $"Optimizer: state {name} must be {parameter.Shape} {type.Label()}: found "
                    + (value is null ? "none" : $"{value.Shape} {value.DType.Label()}"));
        }

        int? Steps(string name)
        {
            if (!state.TryGetValue(name, out var value)) return null;
            return value is { DType: DType.Int64, Length: 1 } && value.Item() is >= 0 and <= int.MaxValue and var count
                ? (int)count
                : throw new AdjointException(
                    $"Optimizer: state {name} must be a number of steps (one int64, from 0 to {int.MaxValue}): "
                    + $"found {value.Shape} {value.DType.Label()}");
        }
    }

    /// <summary>Drops the state of parameters that are updated elsewhere; another update begins anew.</summary>
    internal void Forget(IEnumerable<Tensor> parameters)
    {
        foreach (var parameter in parameters) states.Remove(parameter);
    }

    /// <summary>
    /// The number of state tensors kept for each parameter, the same at every call. They are saved and loaded with
    /// <see cref="StateDict"/>. For parameters in half precision they are float32: 0.999·v would round to v in
    /// bfloat16, and a squared gradient to 0 in float16.
    /// </summary>
    protected abstract int StateCount { get; }

    /// <summary>
    /// Updates one parameter in place, by <see cref="ApplyUpdate"/>, by a primitive or by <c>parameter.CopyFrom(…)</c>
    /// of what ops compute. Called at each step for each parameter that has a gradient and is not frozen; runs without
    /// recording gradients.
    /// </summary>
    /// <param name="group">The parameter's group, with the learning rate and weight decay of this step.</param>
    /// <param name="parameter">The parameter, contiguous.</param>
    /// <param name="gradient">Its gradient, of its shape and type, of any layout; not to be changed.</param>
    protected abstract void Update(ParameterGroup group, Tensor parameter, Tensor gradient);

    /// <summary>
    /// Updates a parameter, and its states, by an element-wise rule, in one pass over memory on all threads.
    /// </summary>
    /// <typeparam name="TUpdate">The type of the rule.</typeparam>
    /// <param name="rule">
    /// Returns the rule of this step, from the group and the number of steps that the parameter has taken (see
    /// <see cref="Advance"/>).
    /// </param>
    /// <param name="group">The group to pass to the rule.</param>
    /// <param name="parameter">The parameter to change.</param>
    /// <param name="gradient">The gradient of the parameter.</param>
    /// <exception cref="AdjointException">
    /// The rule keeps another number of states than <see cref="StateCount"/>.
    /// </exception>
    protected void ApplyUpdate<TUpdate>(
        Func<ParameterGroup, int, TUpdate> rule, ParameterGroup group, Tensor parameter, Tensor gradient)
        where TUpdate : struct, IUpdateRule
    {
        var state = AdvanceState(parameter);
        Tensor[] operands = [gradient, parameter, .. state?.Tensors ?? []];
        if (Execution.Current.Arena is null)
            Backend.Run(new ParameterUpdate<TUpdate>(rule(group, state?.Steps ?? stepCount)), operands);
        else RunInReplays(rule, group, state, operands);
    }

    private void RunInReplays<TUpdate>(
        Func<ParameterGroup, int, TUpdate> rule, ParameterGroup group, ParameterState? state, Tensor[] operands)
        where TUpdate : struct, IUpdateRule =>
        Backend.Run(() => new ParameterUpdate<TUpdate>(rule(group, state?.Steps ?? stepCount)), operands);

    /// <summary>
    /// Counts a step of a parameter. Call it once in <see cref="Update"/>, unless <see cref="ApplyUpdate"/> does.
    /// </summary>
    /// <param name="parameter">The parameter that is updated.</param>
    /// <returns>Its state tensors, zeros at first, to be changed in place.</returns>
    protected IReadOnlyList<Tensor> Advance(Tensor parameter) => AdvanceState(parameter)?.Tensors ?? [];

    /// <summary>
    /// How many steps a parameter has taken, this one included once <see cref="Advance"/> was called: those in which it
    /// had a gradient, or, without states, all steps of the optimizer. A captured function that computes with the
    /// number cannot be replayed, unless it reads it within <see cref="ApplyUpdate"/> or
    /// <see cref="Backend.Run{TPrimitive}(Func{TPrimitive}, ReadOnlySpan{Tensor?})"/>.
    /// </summary>
    /// <param name="parameter">One of the optimizer's parameters.</param>
    /// <returns>The number of steps, 0 or more.</returns>
    protected int StepsOf(Tensor parameter)
    {
        if (StateCount == 0) return StepCount;
        if (!states.TryGetValue(parameter, out var state)) return 0;
        if (Execution.Current.Arena is { IsComputing: false } recording) AssumeSteps(recording, () => state.Steps);
        return state.Steps;
    }

    /// <summary>Returns a setting if it is finite and in its range; for constructors.</summary>
    /// <param name="value">The value of the setting.</param>
    /// <param name="what">The name of the setting, for the message.</param>
    /// <param name="valid">Whether it is in its range: <c>beta is &gt;= 0 and &lt; 1</c>.</param>
    /// <param name="range">The range as the caller wrote it, for the message.</param>
    /// <returns>The value itself.</returns>
    /// <exception cref="AdjointException">
    /// The value is not; the message names the setting, the value and the range.
    /// </exception>
    protected internal static double Require(
        double value, string what, bool valid, [CallerArgumentExpression(nameof(valid))] string range = "") =>
        valid && double.IsFinite(value)
            ? value
            : throw new AdjointException(
                $"Optimizer: {what} {value} is outside its range; it must be finite, and {range}");

    // Null where nothing is kept.
    private ParameterState? AdvanceState(Tensor parameter)
    {
        if (StateCount == 0) return null;
        if (!states.TryGetValue(parameter, out var state))
            states[parameter] = state = new([.. Enumerable.Range(0, StateCount).Select(_ => Zeros(parameter))]);
        state.Follow(parameter);
        if (Execution.Current.Arena is { } recording) CountInReplays(recording, parameter, state);
        else state.Steps = Next(state.Steps);
        return state;
    }

    private void CountInReplays(Arena recording, Tensor parameter, ParameterState state)
    {
        // What is loaded later lies elsewhere.
        recording.Assume(() => states.GetValueOrDefault(parameter) == state, "the state of an optimizer");
        var before = state.Steps;
        Backend.RunOnHost(GetType().Name, () => state.Steps = Next(state.Steps), () => state.Steps = before);
    }

    private void CountInReplays()
    {
        var before = stepCount;
        Backend.RunOnHost(GetType().Name, () => stepCount = Next(stepCount), () => stepCount = before);
    }

    private static void AssumeSteps(Arena recording, Func<int> steps)
    {
        var found = steps();
        recording.Assume(() => steps() == found, "a number of steps that it computes with");
    }

    // Not part of a function that is being captured, which would begin with zeros each time.
    private static Tensor Zeros(Tensor like)
    {
        var execution = Execution.Current;
        var arena = execution.Arena;
        execution.Arena = null;
        try
        {
            var zeros = Tensor.Empty(like.Shape, like.DType.Computing(), like.Device).Keep();
            Backend.Dispatch(new Fill(0), [zeros]);
            return zeros;
        }
        finally
        {
            execution.Arena = arena;
        }
    }

    // Stays at the largest, where it makes no difference any more, instead of becoming negative.
    private static int Next(int steps) => steps == int.MaxValue ? steps : steps + 1;

    // None where the first is 0.
    private double[]? Ratios() => Groups[0].LearningRate is > 0 and var first
        ? [.. Groups.Select(group => group.LearningRate / first)]
        : null;

    /// <summary>What an optimizer keeps for one parameter.</summary>
    private sealed class ParameterState(Tensor[] tensors)
    {
        internal Tensor[] Tensors => tensors;

        /// <summary>In how many steps it had a gradient.</summary>
        internal int Steps { get; set; }

        /// <summary>Takes over the computing type and the device of a parameter that was converted or moved.</summary>
        internal void Follow(Tensor parameter)
        {
            foreach (var tensor in tensors) Conversion.Follow(tensor, parameter);
        }
    }
}
