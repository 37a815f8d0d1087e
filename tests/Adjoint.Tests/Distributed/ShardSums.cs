using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>Random gradients of shards, and their sums by a recursion over plain arrays.</summary>
internal static class ShardSums
{
    internal static readonly (int[] Shape, DType Type)[] Shapes =
    [
        ([3, 5], DType.Float32), ([7], DType.Float32), ([0], DType.Float32), ([9], DType.Float64),
        ([40, 5], DType.Float32), ([6], DType.BFloat16), ([2, 2], DType.Float64), ([5], DType.Float16),
        ([], DType.Float32), ([33], DType.Float32),
    ];

    internal static Tensor[] New(bool isParameter) =>
        [.. Shapes.Select(entry => Tensor.Zeros(entry.Shape, entry.Type).RequireGrad(isParameter))];

    internal static int Length(int i) => Shapes[i].Shape.Aggregate(1, (product, size) => product * size);

    internal static bool IsDouble(int i) => Shapes[i].Type == DType.Float64;

    internal static double[]? Values(Tensor? x) => x?.Detach().To(DType.Float64).ToArray<double>();

    internal static double[]? Rounded(double[]? values, int i) =>
        values is null ? null : Values(Tensor.From((ReadOnlySpan<double>)values, values.Length).To(Shapes[i].Type));

    internal static double[] Add(double[] a, double[] b, int i) =>
        [.. a.Zip(b, (x, y) => IsDouble(i) ? x + y : (float)x + (float)y)];

    internal static double[]? Scaled(double[]? x, double factor, int i) =>
        x?.Select(value => IsDouble(i) ? value * factor : (float)value * (float)factor).ToArray();

    internal static double[]? Tree(double[]?[] leaves, int lo, int hi, int i)
    {
        if (hi - lo == 1) return leaves[lo];
        var k = 1;
        while (2 * k < hi - lo) k *= 2;
        var (left, right) = (Tree(leaves, lo, lo + k, i), Tree(leaves, lo + k, hi, i));
        return left is null ? right : right is null ? left : Add(left, right, i);
    }

    internal static void Same(double[]? expected, double[]? found, string what) => Assert.True(
        expected is null ? found is null
        : found is not null && expected.Select(BitConverter.DoubleToInt64Bits)
            .SequenceEqual(found.Select(BitConverter.DoubleToInt64Bits)), what);

    // Random gradients and buffers of all shards, some of which are empty, or lack some.
    internal sealed class Batch
    {
        private readonly int shards;
        private readonly bool[] isEmpty;
        private readonly Tensor?[][] buffers;
        private readonly int[][] order;

        internal Batch(int seed, int shards)
        {
            this.shards = shards;
            var random = new Random(seed);
            isEmpty = [.. Enumerable.Range(0, shards).Select(_ => random.Next(4) == 0)];
            Weights = [.. Enumerable.Range(0, shards).Select(s => isEmpty[s] ? 0.0 : random.Next(1, 9))];
            Scale = 1 / Math.Max(1, Weights.Sum());
            var never = random.Next(Shapes.Length);
            Gradients = Make((i, s) => i == never || random.Next(5) == 0);
            buffers = Make((i, s) => i == never || random.Next(3) == 0);
            order = [.. Enumerable.Range(0, shards).Select(_ =>
            {
                var all = Enumerable.Range(0, Shapes.Length).ToArray();
                random.Shuffle(all);
                return all;
            })];

            Tensor?[][] Make(Func<int, int, bool> isMissing) => [.. Enumerable.Range(0, shards).Select(s => Shapes
                .Select((entry, i) => isEmpty[s] || isMissing(i, s) ? null
                    : (Tensor.Randn(entry.Shape, new Generator((ulong)random.Next()), DType.Float64)
                        * Tensor.Bernoulli(entry.Shape, 0.8, new Generator((ulong)random.Next()),
                            DType.Float64) * -1).To(entry.Type))
                .ToArray())];
        }

        internal double[] Weights { get; }
        internal double Scale { get; }
        internal Tensor?[][] Gradients { get; }

        internal void Compute(GradientExchange exchange, Tensor[] parameters, Tensor[] own)
        {
            for (var shard = exchange.Range.Lo; shard < exchange.Range.Hi; shard++)
            {
                if (isEmpty[shard]) continue;
                exchange.BeginShard(shard, Weights[shard]);
                foreach (var i in order[shard])
                    if (Gradients[shard][i] is { } gradient) exchange.Ready(parameters[i], gradient);
                for (var i = 0; i < own.Length; i++)
                    if (buffers[shard][i] is { } value) own[i].CopyFrom(value);
                exchange.EndShard();
            }
        }

        internal double[]? Leaf(int i, int shard, double[]? weights, Tensor?[][] values) =>
            Values(values[shard][i]) is { } leaf ? Scaled(leaf, weights?[shard] ?? 1, i) : null;

        internal double[]? Sum(int i, double[]? weights, Tensor?[][] values, double scale) => Scaled(Tree(
            [.. Enumerable.Range(0, shards).Select(shard => Leaf(i, shard, weights, values))], 0, shards, i), scale, i);

        internal double[]? MeanOfBuffers(int i)
        {
            var count = buffers.Count(shard => shard[i] is not null);
            return Sum(i, null, buffers, 1)?.Select(sum => IsDouble(i) ? sum / count : (float)sum / count).ToArray();
        }
    }
}
