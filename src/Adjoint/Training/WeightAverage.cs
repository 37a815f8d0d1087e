using Adjoint.Kernels;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>
/// The exponential moving average of a model's parameters and buffers, a better point than any single one of them late in training (Polyak and Juditsky 1992):
/// a ← d·a + (1 − d)·w after each step t, with d = min(decay, (1 + t) / (10 + t)), so that the first steps are soon forgotten.
/// </summary>
public sealed class WeightAverage
{
    private readonly (string Name, Tensor Value, Tensor Average)[] all;
    private readonly double decay;
    private bool isSwapped;

    /// <summary>Of a model, beginning at its present values.</summary>
    /// <exception cref="AdjointException">The decay is not in [0, 1).</exception>
    public WeightAverage(Module model, double decay = 0.999)
    {
        if (decay is not (>= 0 and < 1)) throw new AdjointException($"WeightAverage: the decay must be in [0, 1): found {decay}");
        using var _ = new NoGrad();
        (this.decay, all) = (decay, [.. model.NamedParameters().Concat(model.NamedBuffers()).Select(entry => (entry.Name, entry.Value, entry.Value.Detach().Clone().Keep()))]);
    }

    /// <summary>How many steps were averaged.</summary>
    public int Steps { get; private set; }

    /// <summary>Takes the model's values in.</summary>
    public void Update()
    {
        var blend = new Blend(Math.Min(decay, (1.0 + Steps) / (10.0 + Steps)));
        Steps++;
        foreach (var (_, value, average) in all) Backend.Current.Zip(blend, average, value.Detach(), average);
    }

    /// <summary>Exchanges the model's values and the average's until what it returns is disposed.</summary>
    /// <exception cref="AdjointException">They are exchanged already.</exception>
    public IDisposable Swap()
    {
        if (isSwapped) throw new AdjointException("WeightAverage: the values are exchanged already; dispose what the first call returned");
        return new Swapped(this);
    }

    /// <summary>Everything needed to go on where this average is, by name.</summary>
    public IReadOnlyDictionary<string, Tensor> StateDict() =>
        all.Select(entry => (entry.Name, entry.Average)).Append(("steps", Tensor.Scalar(Steps, DType.Int64))).ToDictionary(entry => entry.Item1, entry => entry.Item2);

    /// <summary>Goes on where another average of the same model was.</summary>
    /// <exception cref="AdjointException">A name is missing, or a shape or type differs.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        foreach (var (name, _, average) in all)
            if (!state.TryGetValue(name, out var value) || value.Shape != average.Shape || value.DType != average.DType)
                throw new AdjointException($"WeightAverage: {name} must be {average.Shape} {average.DType.Label()}: found {(state.TryGetValue(name, out var found) ? $"{found.Shape} {found.DType.Label()}" : "none")}");
        Steps = state.TryGetValue("steps", out var steps) ? (int)steps.Item() : throw new AdjointException("WeightAverage: the state has no entry 'steps'; was it saved by an average?");
        foreach (var (name, _, average) in all) Backend.Current.Copy(state[name], average);
    }

    private void Exchange()
    {
        isSwapped = !isSwapped;
        foreach (var (_, value, average) in all)
        {
            using var _ = new NoGrad();
            var kept = value.Detach().Clone();
            Backend.Current.Copy(average, value.Detach());
            Backend.Current.Copy(kept, average);
            value.BumpVersion();
        }
    }

    private sealed class Swapped : IDisposable
    {
        private readonly WeightAverage owner;

        internal Swapped(WeightAverage owner)
        {
            this.owner = owner;
            owner.Exchange();
        }

        public void Dispose()
        {
            if (owner.isSwapped) owner.Exchange();
        }
    }

    private readonly struct Blend(double decay) : IBinaryLane
    {
        public V Invoke<V>(V average, V value) where V : struct, ILanes<V> => V.Fma(V.Splat(1 - decay), value - average, average);
    }
}
