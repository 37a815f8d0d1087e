using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// What each shard of this rank has added up so far in a step of several batches, by the number of the parameter. The
/// sums are of the type that is computed in, and their memory stays for the next step.
/// </summary>
internal sealed class ShardAccumulator(Tensor[] parameters)
{
    private readonly HashSet<(int Shard, int Parameter)> filled = [];
    private readonly Dictionary<(int Shard, int Parameter), Tensor> memory = [];

    /// <summary>All sums, by shard and parameter.</summary>
    internal IEnumerable<(int Shard, int Parameter, Tensor Sum)> Sums =>
        filled.Order().Select(key => (key.Shard, key.Parameter, memory[key]));

    /// <summary>Forgets the batches so far.</summary>
    internal void Clear() => filled.Clear();

    /// <summary>The sum of a shard; null: it has none.</summary>
    internal Tensor? Find(int shard, int parameter) =>
        filled.Contains((shard, parameter)) ? memory[(shard, parameter)] : null;

    /// <summary>Adds factor·x, rounded, to the sum of a shard.</summary>
    internal void Add(int shard, int parameter, Tensor x, double factor)
    {
        var sum = MemoryOf(shard, parameter);
        if (!filled.Add((shard, parameter))) AddScaled.Run(sum, x, factor);
        else if (x.Length > 0) Backend.Run(new Map<AffineOp.Operator>(new(factor, AffineOp.NoShift)), x, sum);
    }

    /// <summary>Sets the sum of a shard to what was saved.</summary>
    internal void Set(int shard, int parameter, Tensor sum)
    {
        Backend.Run(new Copy(), sum, MemoryOf(shard, parameter));
        filled.Add((shard, parameter));
    }

    private Tensor MemoryOf(int shard, int parameter)
    {
        if (memory.TryGetValue((shard, parameter), out var sum)) return sum;
        var like = parameters[parameter];
        return memory[(shard, parameter)] = new FlatBuffer(like.Length, like.DType.Computing()).Of(like.Shape, 0);
    }
}
