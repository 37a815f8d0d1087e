using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Attention of queries to keys, forward and backward in tiles. Inputs: queries, keys, values; then those of mask,
/// slopes and lengths that there are.
/// </summary>
internal sealed class ScaledDotProductAttentionOp(
    AttentionAttributes attributes, bool hasMask, bool hasSlopes, bool hasLengths, Generator? generator) : Op
{
    public override string Name => "ScaledDotProductAttention";
    public override string Formula =>
        "y = P·V, P = softmax(S) over the keys, S = scale·Q·Kᵀ + mask − slope·|position − j|; −∞ where a query does "
        + "not see a key; y = 0 where it sees none; dropout multiplies P by 0 or 1/(1 − p)";
    public override string Derivation =>
        "P is computed again from what forward kept, ln Σ e^S: ∂L/∂V = Pᵀ·g; ∂L/∂P = g·Vᵀ; ∂L/∂S = P ∘ (∂L/∂P − D) "
        + "with D = Σⱼ Pⱼ·∂L/∂Pⱼ = Σ g ∘ y; ∂L/∂Q = scale·∂L/∂S·K; ∂L/∂K = scale·∂L/∂Sᵀ·Q; ∂L/∂mask = ∂L/∂S";
    public override Saves Saves => Saves.Inputs | Saves.Output;
    public override IReadOnlyList<OpAttribute> Attributes =>
    [
        new("isCausal", attributes.IsCausal), new("scale", attributes.Scale), new("dropout", attributes.Dropout),
        new("hasMask", hasMask), new("hasAlibiSlopes", hasSlopes), new("hasKeyLengths", hasLengths),
    ];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (q, k, v) = (inputs[0], inputs[1], inputs[2]);
        if (!q.DType.IsFloating() || k.DType != q.DType || v.DType != q.DType)
            throw new AdjointException(
                $"{Name}: queries, keys and values must be of one floating type: found {q.DType.Label()}, "
                + $"{k.DType.Label()} and {v.DType.Label()}; cast with .To(…)");
        if (q.Rank != 4 || k.Rank != 4 || v.Rank != 4 || k.Shape[0] != q.Shape[0] || v.Shape[0] != q.Shape[0]
            || k.Shape[1] != v.Shape[1] || k.Shape[2] != v.Shape[2] || k.Shape[3] != q.Shape[3])
            throw new AdjointException(
                $"{Name}: queries (n, h, t, d), keys (n, g, s, d) and values (n, g, s, e) are needed: found {q.Shape}, "
                + $"{k.Shape} and {v.Shape}; bring them there with .Reshape(…) and .Permute(…)");
        var (n, h, g, s) = (q.Shape[0], q.Shape[1], k.Shape[1], k.Shape[2]);
        if (g == 0 ? h != 0 : h % g != 0)
            throw new AdjointException(
                $"{Name}: the heads of keys and values must divide those of the queries: found {g} for {h}; share each "
                + "head of keys between equally many heads of queries");
        Shape scores = (int[])[n, h, q.Shape[2], s];
        if (Mask(inputs) is { } mask) CheckMask(mask, q.DType, scores);
        if (Slopes(inputs) is { } slopes && (slopes.Rank != 1 || slopes.Shape[0] != h || !slopes.DType.IsFloating()))
            throw new AdjointException(
                $"{Name}: ALiBi's slopes must be ({h}) of floating type, one for each head: found {slopes.Shape} "
                + $"{slopes.DType.Label()}; make them with Tensor.From(…)");
        if (Slopes(inputs) is { RequiresGrad: true })
            throw new AdjointException(
                $"{Name}: ALiBi's slopes are constants: found some that require a gradient; add what is to be learned "
                + "as a floating mask");
        if (Lengths(inputs) is { } lengths
            && (lengths.Rank != 1 || lengths.Shape[0] != n || lengths.DType != DType.Int64))
            throw new AdjointException(
                $"{Name}: the lengths of the keys must be ({n}) int64, one for each sample: found {lengths.Shape} "
                + $"{lengths.DType.Label()}; give the number of keys that are no padding, cast with .To(DType.Int64)");
        return new((int[])[n, h, q.Shape[2], v.Shape[3]], q.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var logSumExp = context.Allocate(inputs[0].Shape.Sizes[..3].ToArray(), output.DType.Computing());
        var key = generator is null ? null : context.Allocate((int[])[2], DType.Float64);
        if (key is not null)
        {
            Backend.Run(new RandomNumbers(Distribution.Uniform), key, generator!.State);
            generator.State.BumpVersion();
        }
        Backend.Run(new Primitives.Attention(attributes), inputs[0], inputs[1], inputs[2], Mask(inputs),
            Slopes(inputs), Lengths(inputs), key, output, logSumExp);
        if (key is null) context.Save(logSumExp);
        else context.Save(logSumExp, key);
    }

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        Tensor[] inputs = [.. node.Inputs];
        var (mask, slopes, lengths) = (Mask(inputs), Slopes(inputs), Lengths(inputs));
        var key = node.Saved.Count > 1 ? node.Saved[1] : null;
        var results = new Tensor?[inputs.Length];
        for (var i = 0; i < 3; i++) results[i] = Tensor.Empty(inputs[i].Shape, inputs[i].DType);
        Backend.Run(new AttentionGradient(attributes), inputs[0], inputs[1], inputs[2], mask, slopes, lengths, key,
            node.Output, node.Saved[0], gradient, results[0], results[1], results[2]);
        if (!hasMask || !node.Needs(3)) return results;
        results[3] = Tensor.Empty(mask!.Shape, mask.DType);
        Backend.Run(new AttentionMaskGradient(attributes), inputs[0], inputs[1], inputs[2], mask, slopes, lengths, key,
            node.Output, node.Saved[0], gradient, results[3]);
        return results;
    }

    // All pairs of queries and keys at once: for second derivatives.
    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        Tensor[] inputs = [.. node.Inputs];
        var type = gradient.DType;
        var (h, g) = (inputs[0].Shape[1], inputs[1].Shape[1]);
        var sees = Sees(inputs);
        var seesAny = sees.Any(3, keepDims: true);
        // What no one sees, and who sees nothing, may be anything, NaN as well.
        var isSeen = Seen(sees, g);
        var q = Tensor.Where(seesAny, inputs[0].Widened(), 0);
        var k = Repeated(Tensor.Where(isSeen, inputs[1].Widened(), 0), h);
        var v = Repeated(Tensor.Where(isSeen, inputs[2].Widened(), 0), h);
        var scores = q.MatMul(k.Transpose(2, 3)) * attributes.Scale;
        if (hasMask && inputs[3].DType != DType.Bool)
            scores += Tensor.Where(inputs[3].EqualTo(double.NegativeInfinity), 0, inputs[3].Widened());
        if (Slopes(inputs) is { } slopes)
            scores -= slopes.To(scores.DType).Reshape(h, 1, 1) * Distances(inputs).To(scores.DType);
        var hidden = Tensor.Where(seesAny, Tensor.Scalar(double.NegativeInfinity, scores.DType),
            Tensor.Scalar(0, scores.DType));
        var weights = Tensor.Where(sees, Tensor.Where(sees, scores, hidden).Softmax(), 0);
        var factors = Factors(node, weights);
        var above = gradient.Widened();
        var dweights = above.MatMul(v.Transpose(2, 3));
        var kept = weights;
        if (factors is not null) (dweights, kept) = (dweights * factors, weights * factors);
        dweights = Tensor.Where(sees, dweights, 0);
        var dscores = weights * (dweights - (weights * dweights).Sum(3, keepDims: true));
        var results = new Tensor?[inputs.Length];
        if (node.Needs(0)) results[0] = (dscores.MatMul(k) * attributes.Scale).To(type);
        if (node.Needs(1)) results[1] = Shared(dscores.Transpose(2, 3).MatMul(q) * attributes.Scale, g).To(type);
        if (node.Needs(2)) results[2] = Shared(kept.Transpose(2, 3).MatMul(above), g).To(type);
        if (hasMask && node.Needs(3)) results[3] = dscores.SumTo(inputs[3].Shape).To(type);
        return results;
    }

    private Tensor? Mask(ReadOnlySpan<Tensor> inputs) => hasMask ? inputs[3] : null;

    private Tensor? Slopes(ReadOnlySpan<Tensor> inputs) => hasSlopes ? inputs[hasMask ? 4 : 3] : null;

    private Tensor? Lengths(ReadOnlySpan<Tensor> inputs) => hasLengths ? inputs[^1] : null;

    private void CheckMask(Tensor mask, DType type, Shape scores)
    {
        if (mask.DType != DType.Bool && mask.DType != type)
            throw new AdjointException(
                $"{Name}: the mask must be bool, true where a query sees a key, or {type.Label()}, added to the " +
                    $"scores: "
                + $"found {mask.DType.Label()}; compare, as in mask.NotEqualTo(0), or cast with .To(…)");
        var fits = mask.Rank <= 4;
        for (var i = 1; fits && i <= mask.Rank; i++) fits = mask.Shape[-i] == scores[-i] || mask.Shape[-i] == 1;
        if (!fits)
            throw new AdjointException(
                $"{Name}: the mask must broadcast to (n, h, t, s) = {scores}: found {mask.Shape}; give axes along "
                + "which it is the same the size 1");
    }

    // Which query sees which key, (n, h, t, s).
    private Tensor Sees(Tensor[] inputs)
    {
        var (t, s) = (inputs[0].Shape[2], inputs[1].Shape[2]);
        var keys = Tensor.Arange(s);
        var sees = attributes.IsCausal
            ? keys.LessOrEqual(Tensor.Arange(t).Unsqueeze(1) + (s - t))
            : keys.GreaterOrEqual(0);
        if (hasMask) sees &= inputs[3].DType == DType.Bool ? inputs[3] : inputs[3].NotEqualTo(double.NegativeInfinity);
        if (Lengths(inputs) is { } lengths) sees &= keys.Less(lengths.Reshape(-1, 1, 1, 1));
        return sees.ExpandTo((int[])[inputs[0].Shape[0], inputs[0].Shape[1], t, s]);
    }

    // Whether a key is seen by any query that reads its head: (n, g, s, 1).
    private static Tensor Seen(Tensor sees, int g)
    {
        var (n, h, t, s) = (sees.Shape[0], sees.Shape[1], sees.Shape[2], sees.Shape[3]);
        return sees.Reshape(n, g, g == 0 ? 0 : h / g * t, s).Any(2).Unsqueeze(3);
    }

    private static Tensor Distances(Tensor[] inputs)
    {
        var (t, s) = (inputs[0].Shape[2], inputs[1].Shape[2]);
        return (Tensor.Arange(t).Unsqueeze(1) + (s - t) - Tensor.Arange(s)).Abs();
    }

    private Tensor? Factors(OpNode node, Tensor weights)
    {
        if (node.Saved.Count < 2) return null;
        var factors = Tensor.Empty(weights.Shape, weights.DType);
        Backend.Run(new AttentionDropoutFactors(attributes.Dropout), node.Saved[1], factors);
        return factors;
    }

    // (n, g, s, d) for each of the heads that read it: (n, h, s, d).
    private static Tensor Repeated(Tensor x, int heads)
    {
        var (n, g, s, d) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        return g == heads ? x : x.Unsqueeze(2).Expand(n, g, heads / g, s, d).Reshape(n, heads, s, d);
    }

    // The sum over the heads that read the same: (n, h, s, d) → (n, g, s, d).
    private static Tensor Shared(Tensor x, int g)
    {
        var (n, h, s, d) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        return g == h ? x : x.Reshape(n, g, h / g, s, d).Sum(2);
    }
}

// Attention.
public static partial class TensorMethods
{
    extension(Tensor q)
    {
        /// <summary>
        /// Scaled dot product attention (Vaswani et al. 2017): softmax(q·kᵀ/√d)·v over the keys that each query sees; q
        /// (n, h, t, d), k (n, g, s, d), v (n, g, s, e) → (n, h, t, e). Head i of the queries reads head i / (h/g) of
        /// keys and values; without the axis of samples, all three are of rank 3. Computed in tiles (FlashAttention:
        /// Dao et al. 2022): memory grows with t + s, not with t·s, backward too; only second derivatives hold all
        /// pairs. Layouts are read as they are, such as parts of one projection (n, t, 3, h, d). A query that sees no
        /// key gives 0, and its gradients are 0. NaN and infinities in what a query does not see do not reach it.
        /// </summary>
        /// <param name="k">The keys (n, g, s, d), of the queries' type; g divides h, s may be 0.</param>
        /// <param name="v">The values (n, g, s, e), of the queries' type.</param>
        /// <param name="options">Masks, scale, dropout; null: every query sees all keys.</param>
        /// <returns>The outputs (n, h, t, e), of the queries' type.</returns>
        /// <exception cref="AdjointException">
        /// Shapes or types do not fit, a length is not from 0 to s, or the dropout not in [0, 1).
        /// </exception>
        public Tensor ScaledDotProductAttention(Tensor k, Tensor v, AttentionOptions? options = null)
        {
            options ??= new();
            if (options.Dropout is not (>= 0 and < 1))
                throw new AdjointException(
                    $"ScaledDotProductAttention: the dropout must be in [0, 1): found {options.Dropout}; use 0 for " +
                        $"none");
            if (q.Rank == 3 && k.Rank == 3 && v.Rank == 3)
                return q.Unsqueeze(0).ScaledDotProductAttention(k.Unsqueeze(0), v.Unsqueeze(0), options).Squeeze(0);
            var scale = options.Scale ?? (q.Rank > 0 && q.Shape[-1] > 0 ? 1 / Math.Sqrt(q.Shape[-1]) : 1);
            var slopes = options.AlibiSlopes is { } given && given.DType.IsFloating()
                ? given.To(q.DType.Computing())
                : options.AlibiSlopes;
            var op = new ScaledDotProductAttentionOp(new(options.IsCausal, scale, options.Dropout),
                options.Mask is not null, slopes is not null, options.KeyLengths is not null,
                options.Dropout > 0 ? options.Generator ?? Generator.Default : null);
            Tensor?[] inputs = [q, k, v, options.Mask, slopes, options.KeyLengths];
            return Op.Apply(op, [.. inputs.OfType<Tensor>()]);
        }
    }
}
