using Adjoint.Optim;
using Adjoint.Primitives;

namespace Adjoint.Training;

/// <summary>
/// The gradients of several batches, added up as if they were one batch: (Σ wᵢ·∇Lᵢ) / Σ wᵢ for means Lᵢ over weights
/// wᵢ, or Σ ∇Lᵢ for sums. Half precisions add up in float32.
/// </summary>
internal sealed class GradientSum(Optimizer optimizer, Reduction reduction)
{
    /// <summary>The name of what is kept in the middle of a step, in a state.</summary>
    internal const string Note = "accumulated";

    private readonly Dictionary<Tensor, Tensor> sums = [];
    // Weights count in units of the first, so that batches of one size have a factor of exactly 1.
    private double unit, weight;

    private IEnumerable<Tensor> Parameters => optimizer.Groups.SelectMany(group => group.Parameters);

    /// <summary>Forgets the batches so far.</summary>
    internal void Clear()
    {
        sums.Clear();
        (unit, weight) = (0, 0);
    }

    /// <summary>What the loss of the next batch is multiplied by, for the gradients that are then added.</summary>
    internal double FactorOf(double batchWeight)
    {
        if (reduction == Reduction.Sum) return 1;
        if (unit == 0) unit = batchWeight;
        return batchWeight / unit;
    }

    /// <summary>Adds the gradients that are in place.</summary>
    internal void Add(double batchWeight)
    {
        using var _ = new NoGrad();
        weight += batchWeight;
        foreach (var parameter in Parameters)
        {
            if (!parameter.RequiresGrad || parameter.Grad is not { } gradient) continue;
            if (sums.TryGetValue(parameter, out var sum))
                Backend.Run(new Zip<AddOp.Operator>(), sum, gradient.Detach().Widened(), sum);
            else sums[parameter] = gradient.Detach().Widened().Clone().Keep();
        }
    }

    /// <summary>Puts the gradients of all batches in the place of the last one's, and begins anew.</summary>
    internal void Take()
    {
        using var _ = new NoGrad();
        foreach (var (parameter, sum) in sums)
        {
            if (reduction == Reduction.Mean)
                Backend.Run(new Map<AffineOp.Operator>(new(unit / weight, AffineOp.NoShift)), sum, sum);
            parameter.SetGrad(sum.To(parameter.DType), isOwn: true);
        }
        Clear();
    }

    /// <summary>Adds what is needed to go on in the middle of a group of batches.</summary>
    internal void Save(TrainingState state, int batches)
    {
        state.Set(Note, batches, unit, weight);
        state.Add(Note, Parameters.Select((parameter, i) => (Name: $"{i}", Value: sums.GetValueOrDefault(parameter)))
            .Where(entry => entry.Value is not null).ToDictionary(entry => entry.Name, entry => entry.Value!));
    }

    /// <summary>Refuses a state that was saved with steps of another number of batches.</summary>
    internal static void RequireAlike(TrainingState state, int batches)
    {
        var saved = state.Notes.ContainsKey(Note) ? state.Numbers(Note, 3)[0] : 1;
        if (saved != batches)
            throw new AdjointException(
                $"Trainer.Load: the state was saved with steps of {saved} batches: found {batches} here; build the "
                + "trainer with the settings it was saved with");
    }

    /// <summary>Goes on in the middle of a group of batches.</summary>
    internal void Load(TrainingState state)
    {
        Clear();
        var numbers = state.Numbers(Note, 3);
        (unit, weight) = (numbers[1], numbers[2]);
        var parameters = Parameters.ToArray();
        foreach (var (name, value) in state.TensorsOf(Note))
        {
            if (!int.TryParse(name, out var at) || at < 0 || at >= parameters.Length
                || value.Shape != parameters[at].Shape || value.DType != parameters[at].DType.Computing())
                throw new AdjointException(
                    $"Trainer.Load: the accumulated gradient {name}, {value.Shape} {value.DType.Label()}, fits no "
                    + "parameter; build the trainer with the settings it was saved with");
            sums[parameters[at]] = value.Clone().To(parameters[at].Device).Keep();
        }
    }
}
