using Adjoint.Kernels;
using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Primitives;

namespace Adjoint.Training;

/// <summary>
/// The exponential moving average of a model's parameters and buffers, late in training a better point than any single
/// one of them (Polyak and Juditsky 1992): a ← d·a + (1 − d)·w after each step t, with d = min(decay, (1 + t) / (10 +
/// t)), so that the first steps soon fade. A shared parameter has one average. Where the model is converted or moved,
/// the average follows; for half precisions it is float32, since bfloat16 cannot resolve 0.001·(w − a) beside a.
/// </summary>
public sealed class WeightAverage
{
    // By every path, and each tensor once.
    private readonly (string Name, Tensor Average)[] names;
    private readonly (Tensor Value, Tensor Average)[] all;
    private readonly double decay;
    // While the average is in the place of values of half precision.
    private readonly Dictionary<Tensor, Tensor> ownValues = [];
    private bool isSwapped;
    private int stepCount;

    /// <summary>Creates an average that begins at the model's present values.</summary>
    /// <param name="model">The model to average.</param>
    /// <param name="decay">The decay d after the first steps, in [0, 1).</param>
    /// <exception cref="AdjointException">
    /// The decay is not in [0, 1), or the model itself has a parameter named <c>steps</c>.
    /// </exception>
    public WeightAverage(Module model, double decay = 0.999)
    {
        Arena.RefuseWithin(
            "WeightAverage is made inside: it begins anew at each call, where a replay would go on; make it outside");
        if (decay is not (>= 0 and < 1))
            throw new AdjointException($"WeightAverage: the decay must be in [0, 1): found {decay}");
        using var _ = new NoGrad();
        this.decay = decay;
        var state = model.NamedState().ToArray();
        if (state.Any(entry => entry.Name == "steps"))
            throw new AdjointException(
                "WeightAverage: 'steps' is the name of its own count in its state; give the parameter another name");
        var values = state.Select(entry => entry.Value).Distinct();
        all = [.. values.Select(value => (value, value.Detach().Widened().Clone().Keep()))];
        var averages = all.ToDictionary(entry => entry.Value, entry => entry.Average);
        names = [.. state.Select(entry => (entry.Name, averages[entry.Value]))];
    }

    /// <summary>The number of steps that were averaged.</summary>
    public int Steps
    {
        get
        {
            var found = stepCount;
            if (Execution.Current.Arena is { IsComputing: false } recording)
                recording.Assume(() => stepCount == found, "the step count of an average");
            return found;
        }
    }

    /// <summary>Adds the model's present values to the average.</summary>
    /// <exception cref="AdjointException">The model holds the average, as <see cref="Swap"/> left it.</exception>
    public void Update()
    {
        RequireOwnValues("Update()");
        Follow();
        var before = stepCount;
        Backend.RunOnHost(nameof(WeightAverage), () => stepCount++, () => stepCount = before);
        // Asked for anew in each replay of a captured function.
        var blend = () => new Zip<Blend>(new(Math.Min(decay, stepCount / (9.0 + stepCount))));
        foreach (var (value, average) in all)
        {
            if (value.DType.IsFloating()) Backend.Run(blend, average, value.Detach().Widened(), average);
            // What counts or marks has no mean: the latest.
            else Backend.Run(new Copy(), value, average);
            average.BumpVersion();
        }
    }

    /// <summary>Swaps the model's values with the average's until the result is disposed of.</summary>
    /// <returns>Dispose of it to swap them back.</returns>
    /// <exception cref="AdjointException">They are swapped already.</exception>
    public IDisposable Swap()
    {
        RequireOwnValues("Swap()");
        return new Exchanged(this);
    }

    /// <summary>Everything needed to resume the average, by name.</summary>
    /// <returns>A dictionary from name to tensor.</returns>
    /// <exception cref="AdjointException">The model holds the average, as <see cref="Swap"/> left it.</exception>
    public IReadOnlyDictionary<string, Tensor> StateDict()
    {
        RequireOwnValues("StateDict()");
        Follow();
        var result = names.ToDictionary(entry => entry.Name, entry => entry.Average);
        result.Add("steps", Tensor.Scalar(Steps, DType.Int64));
        return result;
    }

    /// <summary>Resumes from another average of the same model.</summary>
    /// <param name="state">Tensors by name, as <see cref="StateDict"/> gives them.</param>
    /// <exception cref="AdjointException">
    /// A name is missing, a shape or type differs, or the paths of one parameter have different values; or the model
    /// holds the average, as <see cref="Swap"/> left it.
    /// </exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        Arena.RefuseWithin("the state of WeightAverage is loaded inside, which a replay would not do; load it outside");
        RequireOwnValues("LoadStateDict()");
        Follow();
        foreach (var (name, average) in names)
            if (!state.TryGetValue(name, out var value) || value.Shape != average.Shape || value.DType != average.DType)
                throw new AdjointException(
                    $"WeightAverage: {name} must be {average.Shape} {average.DType.Label()}: found " +
                    $"{(state.TryGetValue(name, out var found) ? $"{found.Shape} {found.DType.Label()}" : "none")}");
        foreach (var paths in names.GroupBy(entry => entry.Average, entry => entry.Name))
            foreach (var name in paths)
                Module.RequireSame("WeightAverage", (paths.First(), state[paths.First()]), (name, state[name]));
        if (!state.TryGetValue("steps", out var steps))
            throw new AdjointException("WeightAverage: the state has no entry 'steps'; was it saved by an average?");
        if (steps is not { DType: DType.Int64, Length: 1 }
            || steps.Item() is not (>= 0 and <= int.MaxValue and var count))
            throw new AdjointException(
                $"WeightAverage: state steps must be a number of steps (one int64, from 0 to {int.MaxValue}): found "
                + $"{steps.Shape} {steps.DType.Label()}");
        stepCount = (int)count;
        foreach (var (name, average) in names)
        {
            Backend.Run(new Copy(), state[name], average);
            average.BumpVersion();
        }
    }

    /// <summary>
    /// Puts the model's own values back until what it returns is disposed; null where they are in place.
    /// </summary>
    internal IDisposable? Suspend() => isSwapped ? new Exchanged(this) : null;

    private void RequireOwnValues(string call)
    {
        if (Execution.Current.Arena is { IsComputing: false } recording)
            recording.NoteSwitch(() => isSwapped, on => isSwapped = on, "whether the model holds an average");
        if (!isSwapped) return;
        throw new AdjointException(
            $"WeightAverage: the model holds the average now; dispose what Swap() returned before {call}");
    }

    private void Follow()
    {
        foreach (var (value, average) in all) Conversion.Follow(average, value);
    }

    // The way back is the way there in reverse, so that memory which two tensors share comes back as it was.
    private void Exchange()
    {
        using var _ = new NoGrad();
        Follow();
        foreach (var (value, average) in isSwapped ? all.Reverse() : all)
        {
            value.BumpVersion();
            average.BumpVersion();
            if (ownValues.Remove(value, out var own))
            {
                Backend.Run(new Copy(), own.To(value.DType).To(value.Device), value.Detach());
                continue;
            }
            var kept = value.Detach().Clone();
            Backend.Run(new Copy(), average.To(value.DType), value.Detach());
            // In half precision the model holds the average rounded: that itself stays where it is.
            if (value.IsHalf && !isSwapped) ownValues.Add(value, kept);
            else Backend.Run(new Copy(), kept.To(average.DType), average);
        }
        isSwapped = !isSwapped;
    }

    private sealed class Exchanged : IDisposable
    {
        private WeightAverage? owner;

        internal Exchanged(WeightAverage owner)
        {
            this.owner = owner;
            owner.Exchange();
        }

        public void Dispose()
        {
            owner?.Exchange();
            owner = null;
        }
    }

    private readonly struct Blend(double decay) : IBinaryOperator
    {
        public V Invoke<V>(V average, V value) where V : struct, ILanes<V> =>
            V.Fma(V.Splat(1 - decay), value - average, average);
    }
}
