using System.Globalization;
using Adjoint.Kernels;

namespace Adjoint.Fuzz;

/// <summary>
/// A random sequence of calls, forward and backward, against <see cref="Slow"/>: every result right after its call, all
/// of them and the gradients of the leaves at the end, and the canaries around every buffer.
/// </summary>
internal sealed class RandomProgram
{
    private static readonly int[] Sizes = [1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65];
    private const int MostElements = 3000;

    private readonly FuzzRandom random;
    private readonly DType dtype;
    private readonly double tolerance;
    private readonly List<(Tensor Fast, Slow Slow)> pool = [];
    private readonly List<(Tensor Fast, Slow Slow)> leaves = [];
    private readonly List<string> trace = [];
    private double scale = 1;

    private RandomProgram(FuzzRandom random)
    {
        this.random = random;
        dtype = random.Once(3) ? DType.Float32 : DType.Float64;
        tolerance = dtype == DType.Float32 ? 5e-4 : 1e-9;
    }

    private bool IsExact => dtype == DType.Float64;

    internal static void Run(FuzzRandom random)
    {
        Workers.ThreadCount = random.Pick(1, 1, 2, 3, 8);
        var program = new RandomProgram(random);
        try
        {
            program.Run();
        }
        catch (Exception error) when (error is not FindingException)
        {
            throw new FindingException($"{error}\nafter {string.Join("; ", program.trace)}");
        }
    }

    private void Run()
    {
        for (var i = random.Between(1, 3); i > 0; i--) Leaf(Shape());
        for (var steps = random.Between(1, 12); steps > 0; steps--)
        {
            if (random.Once(6)) Leaf(Shape());
            var at = random.Below(pool.Count);
            var (x, s) = pool[at];
            var (name, fast, slow) = Step(x, s);
            if (fast is null) continue;
            trace.Add(string.Create(CultureInfo.InvariantCulture, $"#{pool.Count} = {name}(#{at})"));
            Add(fast, slow!);
            if (random.Once(40)) GC.Collect(random.Below(3));
        }
        foreach (var (fast, slow) in pool) Compare("a value that was right before", fast, slow.Values);
        Backward();
        Adjoint.Memory.BufferGuard.Check();
    }

    private void Backward()
    {
        var (loss, reference) = pool[^1];
        reference.Backward();
        if (!loss.RequiresGrad) return;
        foreach (var (_, slow) in pool)
            foreach (var value in slow.Gradient) scale = Math.Max(scale, Math.Abs(value));
        var isAgain = random.Once(4);
        var sum = loss.Sum();
        sum.Backward(retainGraph: isAgain);
        if (isAgain)
        {
            foreach (var (leaf, _) in leaves) leaf.ZeroGrad();
            sum.Backward();
        }
        foreach (var (leaf, slow) in leaves)
            if (leaf.Grad is { } gradient) Compare("the gradient of a leaf", gradient, slow.Gradient);
            else if (slow.Gradient.Any(value => Math.Abs(value) > tolerance * scale))
                throw Finding("a leaf has no gradient", leaf, 0, double.NaN, slow.Gradient[0]);
    }

    private void Leaf(int[] shape)
    {
        var values = new double[Slow.Count(shape)];
        for (var i = 0; i < values.Length; i++)
            values[i] = dtype == DType.Float32 ? (float)random.Signed() : random.Signed();
        var slow = new Slow(shape, values);
        var leaf = shape.Length > 0 && random.Once(4) ? WrittenThroughView(slow) : From(values, shape);
        if (!random.Once(5)) leaf.RequireGrad();
        if (leaf.RequiresGrad) leaves.Add((leaf, slow));
        trace.Add(string.Create(CultureInfo.InvariantCulture,
            $"#{pool.Count} = leaf({string.Join('×', shape)}{(leaf.RequiresGrad ? "" : ", constant")})"));
        pool.Add((leaf, slow));
        Compare("a leaf", leaf, values);
    }

    // Filled by writing into a part of a larger tensor.
    private Tensor WrittenThroughView(Slow slow)
    {
        int[] larger = [.. slow.Shape];
        var axis = random.Below(larger.Length);
        larger[axis] = larger[axis] * 2 + 1;
        var part = Tensor.Full(Adjoint.Shape.Create(larger), 9, dtype).Slice(axis, 1, slow.Shape[axis], 2);
        if (dtype == DType.Float32) part.CopyFrom<float>(Array.ConvertAll(slow.Values, value => (float)value));
        else part.CopyFrom<double>(slow.Values);
        return random.Once(2) ? part : part.Clone().Detach();
    }

    private Tensor From(double[] values, int[] shape)
    {
        var tensor = dtype == DType.Float32
            ? Tensor.From((ReadOnlySpan<float>)Array.ConvertAll(values, value => (float)value), [values.Length])
            : Tensor.From((ReadOnlySpan<double>)values, [values.Length]);
        return tensor.Reshape(shape);
    }

    private int[] Shape()
    {
        var shape = new int[random.Below(5)];
        var left = MostElements;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            shape[axis] = random.Once(60) ? 0 : Math.Min(random.Of(Sizes), left);
            left /= Math.Max(shape[axis], 1);
        }
        return shape;
    }

    private void Add(Tensor fast, Slow slow)
    {
        Compare(trace[^1], fast, slow.Values);
        if (!fast.Shape.Sizes.SequenceEqual(slow.Shape))
            throw new FindingException(
                $"shape {fast.Shape} for ({string.Join(", ", slow.Shape)}) after {string.Join("; ", trace)}");
        if (slow.Values.Any(value => Math.Abs(value) > 4))
            (fast, slow) = (fast.Tanh(), slow.Map(Math.Tanh, SlowOps.TanhSlope));
        if (slow.Values.Length <= 4 * MostElements) pool.Add((fast, slow));
    }

    private void Compare(string what, Tensor fast, double[] expected)
    {
        var found = fast.DType == DType.Float32
            ? Array.ConvertAll(fast.ToArray<float>(), value => (double)value)
            : fast.ToArray<double>();
        if (found.Length != expected.Length)
            throw new FindingException(
                $"{what}: {found.Length} elements for {expected.Length} after {string.Join("; ", trace)}");
        foreach (var value in expected) scale = Math.Max(scale, Math.Abs(value));
        for (var i = 0; i < found.Length; i++)
            if (!(Math.Abs(found[i] - expected[i]) <= tolerance * scale))
                throw Finding(what, fast, i, found[i], expected[i]);
    }

    private FindingException Finding(string what, Tensor tensor, int at, double found, double expected) =>
        new(string.Create(CultureInfo.InvariantCulture,
            $"{what} {tensor.Shape} {dtype}, element {at}: {found:R} for {expected:R} on {Workers.ThreadCount} threads "
            + $"after {string.Join("; ", trace)}"));

    // One call, and its reference; nothing where the operands do not fit it.
    private (string Name, Tensor? Fast, Slow? Slow) Step(Tensor x, Slow s) => random.Below(8) switch
    {
        0 => Unary(x, s),
        1 => Binary(x, s),
        2 => Reduce(x, s),
        3 or 4 => View(x, s),
        5 => Index(x, s),
        6 => Product(x, s),
        _ => Rows(x, s),
    };

    private (string, Tensor?, Slow?) Unary(Tensor x, Slow s)
    {
        switch (random.Below(IsExact ? 20 : 16))
        {
            case 0: return ("tanh", x.Tanh(), s.Map(Math.Tanh, SlowOps.TanhSlope));
            case 1:
                return ("sigmoid", x.Sigmoid(), s.Map(SlowOps.Sigmoid, v => SlowOps.Sigmoid(v) * SlowOps.Sigmoid(-v)));
            case 2: return ("sin", x.Sin(), s.Map(Math.Sin, Math.Cos));
            case 3: return ("cos", x.Cos(), s.Map(Math.Cos, v => -Math.Sin(v)));
            case 4: return ("exp", x.Exp(), s.Map(Math.Exp, Math.Exp));
            case 5: return ("square", x.Square(), s.Map(v => v * v, v => 2 * v));
            case 6: return ("softplus", x.Softplus(), s.Map(v => Math.Log(1 + Math.Exp(v)), SlowOps.Sigmoid));
            case 7:
                return ("silu", x.Silu(), s.Map(v => v * SlowOps.Sigmoid(v),
                    v => SlowOps.Sigmoid(v) * (1 + v * SlowOps.Sigmoid(-v))));
            case 8: return ("negate", -x, s.Map(v => -v, _ => -1));
            case 9: return ("3x − 0.5", x * 3 - 0.5, s.Map(v => 3 * v - 0.5, _ => 3));
            case 10: return ("x / 7", x / 7, s.Map(v => v / 7, _ => 1.0 / 7));
            case 11:
                return ("√(x² + ½)", (x.Square() + 0.5).Sqrt(),
                    s.Map(v => Math.Sqrt(v * v + 0.5), v => v / Math.Sqrt(v * v + 0.5)));
            case 12:
                return ("log(x² + ½)", (x.Square() + 0.5).Log(),
                    s.Map(v => Math.Log(v * v + 0.5), v => 2 * v / (v * v + 0.5)));
            case 13:
                var power = random.Between(0, 5);
                return ($"x^{power}", x.Pow(power),
                    s.Map(v => Math.Pow(v, power), v => power == 0 ? 0 : power * Math.Pow(v, power - 1)));
            case 14: return ("elu", x.Elu(), s.Map(v => v > 0 ? v : Math.Exp(v) - 1, v => v > 0 ? 1 : Math.Exp(v)));
            case 15: return ("detach", x.Detach(), s.Detached());
            case 16: return ("relu", Kink(x).Relu(), Kink(s).Map(v => Math.Max(v, 0), v => v > 0 ? 1 : 0));
            case 17:
                return ("leakyrelu", Kink(x).LeakyRelu(0.1),
                    Kink(s).Map(v => v > 0 ? v : 0.1 * v, v => v > 0 ? 1 : 0.1));
            case 18: return ("abs", Kink(x).Abs(), Kink(s).Map(Math.Abs, v => Math.Sign(v)));
            default:
                return ("clamp", Kink(x).Clamp(-0.5, 0.5),
                    Kink(s).Map(v => Math.Clamp(v, -0.5, 0.5), v => Math.Abs(v) < 0.5 ? 1 : 0));
        }
    }

    // Zeros are common (padding), and a kink may lie there: moved, no value meets one.
    private const double Aside = 0.12345678987;

    private static Tensor Kink(Tensor x) => x + Aside;

    private static Slow Kink(Slow s) => s.Map(v => v + Aside, _ => 1);

    private (string, Tensor?, Slow?) Binary(Tensor x, Slow s)
    {
        var other = pool.Where(pair => SlowOps.Fit(s.Shape, pair.Slow.Shape, MostElements)).ToArray();
        if (other.Length == 0) return default;
        var (y, t) = other[random.Below(other.Length)];
        switch (random.Below(IsExact ? 6 : 5))
        {
            case 0: return ("+", x + y, Slow.Zip(s, t, (a, b) => a + b, (_, _) => 1, (_, _) => 1));
            case 1: return ("−", x - y, Slow.Zip(s, t, (a, b) => a - b, (_, _) => 1, (_, _) => -1));
            case 2: return ("×", x * y, Slow.Zip(s, t, (a, b) => a * b, (_, b) => b, (a, _) => a));
            case 3:
                var (d, e) = (y.Square() + 0.5, t.Map(v => v * v + 0.5, v => 2 * v));
                return ("÷", x / d, Slow.Zip(s, e, (a, b) => a / b, (_, b) => 1 / b, (a, b) => -a / (b * b)));
            case 4:
                var mask = SlowOps.Mask(random, s.Shape);
                return ("where",
                    Tensor.Where(
                        Tensor.From(mask.AsSpan(), s.Shape.Length == 0 ? [1] : s.Shape).Reshape(s.Shape), x, y),
                    SlowOps.Where(mask, s, t));
            default:
                return ("maximum", x.Maximum(Kink(y)),
                    Slow.Zip(s, Kink(t), Math.Max, SlowOps.Wins, (a, b) => SlowOps.Wins(b, a)));
        }
    }

    private (string, Tensor?, Slow?) Reduce(Tensor x, Slow s)
    {
        var axes = Enumerable.Range(0, s.Shape.Length).Where(_ => random.Once(2)).ToArray();
        if (axes.Length == 0) axes = [.. Enumerable.Range(0, s.Shape.Length)];
        var keep = random.Once(2);
        var count = Slow.Count([.. axes.Select(axis => s.Shape[axis])]);
        var sum = SlowOps.Sum(s, axes, keep);
        switch (random.Below(4))
        {
            case 0: return ("sum", x.Sum(axes, keep), sum);
            case 1 when count > 0: return ("mean", x.Mean(axes, keep), sum.Map(v => v / count, _ => 1.0 / count));
            case 2 when count > 1: return ("var", x.Var(axes, keep), SlowOps.Var(s, axes, keep, count));
            case 3 when IsExact && axes.Length > 0 && s.Values.Length > 0 && SlowOps.Max(s, axes, keep) is { } largest:
                return ("max", x.Max(axes, keep), largest);
            default: return default;
        }
    }

    private (string, Tensor?, Slow?) View(Tensor x, Slow s)
    {
        var rank = s.Shape.Length;
        var all = Enumerable.Range(0, s.Values.Length).ToArray();
        switch (random.Below(6))
        {
            case 0 when rank > 0:
                var axis = random.Below(rank);
                int[] merged =
                [
                    .. s.Shape[..axis],
                    .. axis + 1 < rank ? [s.Shape[axis] * s.Shape[axis + 1]] : (int[])[s.Shape[axis], 1],
                    .. axis + 2 < rank ? s.Shape[(axis + 2)..] : [],
                ];
                return ("reshape", x.Reshape(merged), s.Pick(merged, all));
            case 1 when rank > 1:
                int[] order = [.. Enumerable.Range(0, rank)];
                for (var i = rank - 1; i > 0; i--)
                {
                    var j = random.Below(i + 1);
                    (order[i], order[j]) = (order[j], order[i]);
                }
                int[] permuted = [.. order.Select(from => s.Shape[from])];
                return ("permute", x.Permute(order), s.Pick(permuted, [.. Slow.Indices(permuted).Select(index =>
                {
                    var back = new int[rank];
                    for (var k = 0; k < rank; k++) back[order[k]] = index[k];
                    return Slow.At(s.Shape, back);
                })]));
            case 2 when rank > 0:
                var cut = random.Below(rank);
                var step = random.Between(1, 3);
                var start = random.Below(s.Shape[cut] + 1);
                var count = random.Between(0, (s.Shape[cut] - start + step - 1) / step);
                if (count == 0 && !random.Once(10)) return default;
                int[] sliced = [.. s.Shape];
                sliced[cut] = count;
                return ("slice", x.Slice(cut, start, count, step),
                    s.Pick(sliced, SlowOps.From(sliced, s.Shape, cut, i => start + i * step)));
            case 3 when rank < 4:
                var times = random.Between(1, 4);
                if (s.Values.Length * times > MostElements) return default;
                int[] expanded = [times, .. s.Shape.Select(size => size == 1 && random.Once(2) ? 2 : size)];
                return ("expand", x.Expand(expanded), s.Pick(expanded, Slow.Places(s.Shape, expanded)));
            case 4 when rank > 0:
                var chosen = random.Below(rank);
                if (s.Shape[chosen] == 0) return default;
                var position = random.Below(s.Shape[chosen]);
                int[] one = [.. s.Shape];
                one[chosen] = 1;
                var slow = s.Pick(one, SlowOps.From(one, s.Shape, chosen, _ => position));
                int[] selected = [.. s.Shape[..chosen], .. s.Shape[(chosen + 1)..]];
                return ("select", x.Select(chosen, position),
                    slow.Pick(selected, [.. Enumerable.Range(0, slow.Values.Length)]));
            default:
                return random.Once(2)
                    ? ("clone", x.Clone(), s.Pick(s.Shape, all))
                    : ("contiguous", x.Contiguous(), s.Pick(s.Shape, all));
        }
    }

    private (string, Tensor?, Slow?) Index(Tensor x, Slow s)
    {
        var rank = s.Shape.Length;
        if (rank == 0 || s.Shape[^1] == 0 || s.Values.Length == 0) return default;
        var axis = random.Below(rank);
        int[] shape = [.. s.Shape];
        switch (random.Below(5))
        {
            case 0:
                int[] index = [.. Enumerable.Range(0, random.Between(1, 4)).Select(_ => random.Below(s.Shape[axis]))];
                shape[axis] = index.Length;
                return ("indexselect", x.IndexSelect(axis, index),
                    s.Pick(shape, SlowOps.From(shape, s.Shape, axis, i => index[i])));
            case 1:
                shape[axis] = random.Between(1, 4);
                if (Slow.Count(shape) > MostElements) return default;
                long[] places =
                    [.. Enumerable.Range(0, Slow.Count(shape)).Select(_ => (long)random.Below(s.Shape[axis]))];
                return ("gather", x.Gather(axis, Tensor.From(places.AsSpan(), shape)),
                    s.Pick(shape, [.. Slow.Indices(shape).Select((at, i) =>
                    {
                        int[] from = [.. at];
                        from[axis] = (int)places[i];
                        return Slow.At(s.Shape, from);
                    })]));
            case 2:
                var (before, after) = (random.Below(3), random.Below(3));
                shape[axis] += before + after;
                return ("pad", x.PadAxis(axis, before, after),
                    s.Pick(shape, SlowOps.From(shape, s.Shape, axis,
                        i => i < before || i >= before + s.Shape[axis] ? -1 : i - before)));
            case 3:
                if (s.Values.Length * 2 > MostElements) return default;
                return ("concat", Tensor.Concat([x, x.Sin()], axis),
                    SlowOps.Concat(s, s.Map(Math.Sin, Math.Cos), axis));
            default:
                return ("x[.., ^1]", rank == 1 ? x[^1] : x[.., ^1],
                    s.Pick(rank == 1 ? [] : [s.Shape[0], .. s.Shape[2..]], SlowOps.From(
                        rank == 1 ? [1] : [s.Shape[0], 1, .. s.Shape[2..]], s.Shape, rank == 1 ? 0 : 1,
                        _ => s.Shape[rank == 1 ? 0 : 1] - 1)));
        }
    }

    private (string, Tensor?, Slow?) Product(Tensor x, Slow s)
    {
        var rank = s.Shape.Length;
        if (rank == 4 && Slow.Count(s.Shape[..2]) > 0 && random.Once(2))
            return random.Once(2) ? Convolve(x, s) : Attend(x, s);
        if (rank < 2) return default;
        var width = random.Of(Sizes);
        if (s.Values.Length / Math.Max(1, s.Shape[^1]) * width > MostElements || s.Shape[^1] * width > MostElements)
            return default;
        int[] shape = [.. s.Shape[..^2], s.Shape[^1], width];
        Leaf(shape);
        var (w, t) = pool[^1];
        if (rank > 2 || random.Once(2)) return ("matmul", x.MatMul(w), Slow.MatMul(s, t));
        Leaf([width]);
        var (b, u) = pool[^1];
        return ("linear", x.Linear(w.Transpose(), b),
            Slow.Zip(Slow.MatMul(s, t), u, (p, q) => p + q, (_, _) => 1, (_, _) => 1));
    }

    private (string, Tensor?, Slow?) Attend(Tensor x, Slow s)
    {
        var (keys, width, isCausal) = (random.Of(Sizes), random.Of(Sizes), random.Once(2));
        var (heads, d) = (Slow.Count(s.Shape[..2]), s.Shape[3]);
        if (d == 0 || isCausal && keys < s.Shape[2] || heads * s.Shape[2] * Math.Max(keys, width) > MostElements
            || heads * keys * Math.Max(d, width) > MostElements)
            return default;
        Leaf([.. s.Shape[..2], keys, d]);
        var (k, a) = pool[^1];
        Leaf([.. s.Shape[..2], keys, width]);
        var (v, b) = pool[^1];
        int[] transposed = [.. s.Shape[..2], d, keys];
        var scores = Slow.MatMul(s, a.Pick(transposed,
            [.. Slow.Indices(transposed).Select(at => Slow.At(a.Shape, [at[0], at[1], at[3], at[2]]))]))
            .Map(score => 0.7 * score, _ => 0.7);
        // What is not seen has a weight of 0 in float64, too.
        if (isCausal)
            scores = SlowOps.Where(
                [.. Slow.Indices(scores.Shape).Select(at => at[3] <= at[2] + keys - s.Shape[2])], scores,
                scores.Map(_ => -1e4, _ => 0));
        return (isCausal ? "causal attention" : "attention",
            x.ScaledDotProductAttention(k, v, new() { Scale = 0.7, IsCausal = isCausal }),
            Slow.MatMul(SlowOps.Softmax(scores, 3), b));
    }

    private (string, Tensor?, Slow?) Convolve(Tensor x, Slow s)
    {
        var groups = s.Shape[1] % 2 == 0 && random.Once(2) ? 2 : 1;
        var (kh, kw) = (random.Between(1, 4), random.Between(1, 4));
        var (stride, padding, dilation) = (random.Between(1, 3), random.Below(3), random.Between(1, 2));
        var filters = groups * random.Between(1, 9);
        int oh = s.Shape[2] + 2 * padding - dilation * (kh - 1), ow = s.Shape[3] + 2 * padding - dilation * (kw - 1);
        if (oh < 1 || ow < 1 || s.Shape[0] * filters * oh * ow > 4 * MostElements) return default;
        Leaf([filters, s.Shape[1] / groups, kh, kw]);
        var (w, t) = pool[^1];
        return ($"conv2d({kh}×{kw}, stride {stride}, padding {padding}, dilation {dilation}, groups {groups})",
            x.Conv2d(w, null, stride, padding, dilation, groups), Slow.Conv2d(s, t, stride, padding, dilation, groups));
    }

    private (string, Tensor?, Slow?) Rows(Tensor x, Slow s)
    {
        var rank = s.Shape.Length;
        if (rank == 0 || s.Values.Length == 0) return default;
        var axis = random.Below(rank);
        switch (random.Below(4))
        {
            case 0: return ("softmax", x.Softmax(axis), SlowOps.Softmax(s, axis));
            case 1: return ("logsoftmax", x.LogSoftmax(axis), SlowOps.LogSoftmax(s, axis));
            case 2: return ("logsumexp", x.LogSumExp([axis], true), SlowOps.LogSumExp(s, axis));
            case 3 when rank == 2:
                long[] labels = [.. Enumerable.Range(0, s.Shape[0]).Select(_ => (long)random.Below(s.Shape[1]))];
                var picked = SlowOps.LogSoftmax(s, 1).Pick([s.Shape[0]],
                    [.. labels.Select((label, i) => i * s.Shape[1] + (int)label)]);
                return ("crossentropy", Loss.CrossEntropy(x, Tensor.From(labels.AsSpan(), labels.Length)),
                    SlowOps.Sum(picked, [0], false).Map(v => -v / labels.Length, _ => -1.0 / labels.Length));
            default: return default;
        }
    }
}
