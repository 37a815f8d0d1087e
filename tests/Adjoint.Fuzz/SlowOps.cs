namespace Adjoint.Fuzz;

/// <summary>What composes of <see cref="Slow"/>'s few rules.</summary>
internal static class SlowOps
{
    internal static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    internal static double TanhSlope(double x) => 1 - Math.Tanh(x) * Math.Tanh(x);

    /// <summary>The share of the gradient of the larger of two: equals have half each.</summary>
    internal static double Wins(double a, double b) => a > b ? 1 : a == b ? 0.5 : 0;

    /// <summary>Whether the shapes broadcast to one that is not too large.</summary>
    internal static bool Fit(int[] a, int[] b, int most)
    {
        for (var axis = 1; axis <= Math.Min(a.Length, b.Length); axis++)
            if (a[^axis] != b[^axis] && a[^axis] != 1 && b[^axis] != 1) return false;
        return Slow.Count(Slow.Broadcast(a, b)) <= most;
    }

    /// <summary>
    /// For a result that differs along one axis: where each of its elements comes from, −1 for nowhere.
    /// </summary>
    internal static int[] From(int[] shape, int[] source, int axis, Func<int, int> position) =>
        [.. Slow.Indices(shape).Select(index =>
        {
            var at = position(index[axis]);
            if (at < 0) return -1;
            int[] from = [.. index];
            from[axis] = at;
            return Slow.At(source, from);
        })];

    internal static bool[] Mask(FuzzRandom random, int[] shape) =>
        [.. Enumerable.Range(0, Slow.Count(shape)).Select(_ => random.Once(2))];

    internal static Slow Where(bool[] mask, Slow a, Slow b)
    {
        var chosen = new Slow(a.Shape, [.. mask.Select(on => on ? 1.0 : 0.0)]);
        var left = Slow.Zip(chosen, a, (m, v) => m * v, (_, _) => 0, (m, _) => m);
        var right = Slow.Zip(chosen, b, (m, v) => (1 - m) * v, (_, _) => 0, (m, _) => 1 - m);
        return Slow.Zip(left, right, (p, q) => p + q, (_, _) => 1, (_, _) => 1);
    }

    private static (int[] Kept, int[] Shape, int[] Into) Reduced(int[] shape, int[] axes, bool keep)
    {
        int[] kept = [.. shape.Select((size, axis) => axes.Contains(axis) ? 1 : size)];
        int[] final = keep ? kept : [.. shape.Where((_, axis) => !axes.Contains(axis))];
        return (kept, final, [.. Slow.Indices(shape).Select(index =>
            Slow.At(kept, [.. index.Select((i, axis) => axes.Contains(axis) ? 0 : i)]))]);
    }

    internal static Slow Sum(Slow x, int[] axes, bool keep)
    {
        var (_, shape, into) = Reduced(x.Shape, axes, keep);
        return x.Collect(shape, into);
    }

    internal static Slow Var(Slow x, int[] axes, bool keep, int count)
    {
        var mean = Sum(x, axes, true).Map(v => v / count, _ => 1.0 / count);
        var centered = Slow.Zip(x, mean, (a, b) => a - b, (_, _) => 1, (_, _) => -1);
        return Sum(centered.Map(v => v * v, v => 2 * v), axes, keep).Map(v => v / (count - 1), _ => 1.0 / (count - 1));
    }

    /// <summary>The largest along axes; null where two are as large, or nearly.</summary>
    internal static Slow? Max(Slow x, int[] axes, bool keep)
    {
        var (_, shape, into) = Reduced(x.Shape, axes, keep);
        var best = Enumerable.Repeat(-1, Slow.Count(shape)).ToArray();
        for (var i = 0; i < into.Length; i++)
            if (best[into[i]] < 0 || x.Values[i] > x.Values[best[into[i]]]) best[into[i]] = i;
        for (var i = 0; i < into.Length; i++)
            if (best[into[i]] != i && x.Values[best[into[i]]] - x.Values[i] < 1e-12) return null;
        return x.Pick(shape, best);
    }

    internal static Slow LogSumExp(Slow x, int axis)
    {
        var (kept, _, into) = Reduced(x.Shape, [axis], true);
        var largest = Enumerable.Repeat(double.NegativeInfinity, Slow.Count(kept)).ToArray();
        for (var i = 0; i < into.Length; i++) largest[into[i]] = Math.Max(largest[into[i]], x.Values[i]);
        var constant = new Slow(kept, largest);
        var powers = Slow.Zip(x, constant, (a, m) => Math.Exp(a - m), (a, m) => Math.Exp(a - m), (_, _) => 0);
        return Slow.Zip(powers.Collect(kept, into), constant,
            (sum, m) => Math.Log(sum) + m, (sum, _) => 1 / sum, (_, _) => 0);
    }

    internal static Slow LogSoftmax(Slow x, int axis) =>
        Slow.Zip(x, LogSumExp(x, axis), (a, b) => a - b, (_, _) => 1, (_, _) => -1);

    internal static Slow Softmax(Slow x, int axis) => LogSoftmax(x, axis).Map(Math.Exp, Math.Exp);

    internal static Slow Concat(Slow a, Slow b, int axis)
    {
        int[] shape = [.. a.Shape];
        shape[axis] += b.Shape[axis];
        var left = a.Pick(shape, From(shape, a.Shape, axis, i => i < a.Shape[axis] ? i : -1));
        var right = b.Pick(shape, From(shape, b.Shape, axis, i => i - a.Shape[axis]));
        return Slow.Zip(left, right, (p, q) => p + q, (_, _) => 1, (_, _) => 1);
    }
}
