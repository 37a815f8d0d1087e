using Adjoint.Kernels;
using Adjoint.Memory;

namespace Adjoint.Optim;

/// <summary>Parameters that share settings.</summary>
public sealed class ParameterGroup
{
    /// <summary>A group of parameters.</summary>
    public ParameterGroup(IEnumerable<Tensor> parameters, double learningRate, double weightDecay = 0)
    {
        Parameters = [.. parameters];
        LearningRate = Optimizer.Require(learningRate, "learning rate", learningRate >= 0);
        WeightDecay = Optimizer.Require(weightDecay, "weight decay", weightDecay >= 0);
        foreach (var parameter in Parameters)
            if (!parameter.RequiresGrad || !parameter.IsLeaf || !parameter.IsContiguous)
                throw new AdjointException($"Optimizer: parameters are contiguous leaves that require a gradient: found {parameter.Name ?? parameter.Shape.ToString()}; call .RequireGrad() on it");
    }

    /// <summary>
    /// Two groups: matrices and filters (two axes or more), which decay, and biases and scales of normalisation, which do not (as usual since Goyal et al. 2017, §5.3):
    /// they are few, and pulling them to 0 does not make the function simpler.
    /// </summary>
    /// <param name="parameters">Of a model.</param>
    /// <param name="learningRate">Of the first group.</param>
    /// <param name="weightDecay">Of the first group.</param>
    /// <param name="biasRateFactor">The second group's learning rate over the first's.</param>
    public static IReadOnlyList<ParameterGroup> Split(IEnumerable<Tensor> parameters, double learningRate, double weightDecay, double biasRateFactor = 1)
    {
        var all = parameters.ToArray();
        return [new(all.Where(parameter => parameter.Rank > 1), learningRate, weightDecay), new(all.Where(parameter => parameter.Rank <= 1), learningRate * biasRateFactor)];
    }

    /// <summary>The parameters.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The size of a step; read at each step, so a schedule may change it.</summary>
    public double LearningRate { get; set; }

    /// <summary>λ, as the optimiser defines it.</summary>
    public double WeightDecay { get; set; }
}

/// <summary>Changes parameters so that the loss falls.</summary>
public abstract class Optimizer
{
    private readonly Dictionary<Tensor, Tensor[]> states = [];

    /// <summary>An optimiser of groups.</summary>
    protected Optimizer(IEnumerable<ParameterGroup> groups) => Groups = [.. groups];

    /// <summary>The parameter groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>How many steps were taken.</summary>
    public int StepCount { get; private set; }

    /// <summary>The learning rate of the first group; setting it sets all groups.</summary>
    public double LearningRate
    {
        get => Groups[0].LearningRate;
        set
        {
            foreach (var group in Groups) group.LearningRate = value;
        }
    }

    /// <summary>Forgets all gradients. Leave it out to add up the gradients of several batches.</summary>
    public void ZeroGrad()
    {
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters)
                parameter.ZeroGrad();
    }

    /// <summary>Changes every parameter that has a gradient, in one pass over memory each.</summary>
    public void Step()
    {
        StepCount++;
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters)
                if (parameter.Grad is { } gradient)
                {
                    Update(group, parameter, CpuBackend.Packed(gradient));
                    parameter.BumpVersion();
                }
    }

    /// <summary>Everything needed to go on where this one is, by name.</summary>
    public IReadOnlyDictionary<string, Tensor> StateDict()
    {
        var result = new Dictionary<string, Tensor> { ["steps"] = Tensor.Scalar(StepCount, DType.Int64) };
        var parameters = Groups.SelectMany(group => group.Parameters).ToArray();
        for (var i = 0; i < parameters.Length; i++)
            if (states.TryGetValue(parameters[i], out var state))
                for (var j = 0; j < state.Length; j++) result[$"{i}.{j}"] = state[j];
        return result;
    }

    /// <summary>Goes on where another optimiser of the same parameters was.</summary>
    /// <exception cref="AdjointException">A state does not fit its parameter.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        var parameters = Groups.SelectMany(group => group.Parameters).ToArray();
        var loaded = new Dictionary<Tensor, Tensor[]>();
        for (var i = 0; i < parameters.Length; i++)
        {
            var own = new List<Tensor>();
            for (var j = 0; state.TryGetValue($"{i}.{j}", out var value); j++)
                own.Add(value.Shape == parameters[i].Shape && value.DType == parameters[i].DType
                    ? value.Clone().Keep()
                    : throw new AdjointException($"Optimizer: state {i}.{j} must be {parameters[i].Shape} {parameters[i].DType.Label()}: found {value.Shape} {value.DType.Label()}"));
            if (own.Count > 0) loaded[parameters[i]] = [.. own];
        }
        StepCount = state.TryGetValue("steps", out var steps) ? (int)steps.Item() : throw new AdjointException("Optimizer: the state has no entry 'steps'; was it saved by an optimiser?");
        states.Clear();
        foreach (var (parameter, own) in loaded) states[parameter] = own;
    }

    /// <summary>Changes one parameter.</summary>
    private protected abstract void Update(ParameterGroup group, Tensor parameter, Tensor gradient);

    private protected Tensor[] StateOf(Tensor parameter, int count, out bool isNew)
    {
        isNew = !states.TryGetValue(parameter, out var state);
        if (isNew) states[parameter] = state = [.. Enumerable.Range(0, count).Select(_ => Tensor.Zeros(parameter.Shape, parameter.DType).Keep())];
        return state!;
    }

    private protected static unsafe void Apply<TUpdate>(TUpdate update, Tensor w, Tensor g, Tensor? s = null, Tensor? t = null) where TUpdate : struct, OptimizerSteps.IUpdate
    {
        if (w.DType == DType.Float32)
            fixed (float* pw = w.Data<float>(), pg = g.Data<float>(), ps = s is null ? default : s.Data<float>(), pt = t is null ? default : t.Data<float>())
                OptimizerSteps.Run(update, pw, pg, ps, pt, w.Length);
        else
            fixed (double* pw = w.Data<double>(), pg = g.Data<double>(), ps = s is null ? default : s.Data<double>(), pt = t is null ? default : t.Data<double>())
                OptimizerSteps.Run(update, pw, pg, ps, pt, w.Length);
        GC.KeepAlive(g);
    }

    internal static double Require(double value, string what, bool valid) => valid && double.IsFinite(value)
        ? value
        : throw new AdjointException($"Optimizer: {what} {value} is outside its range; see the documentation of the setting");
}
