namespace Adjoint.Fuzz;

/// <summary>
/// The slow reference: float64 values in row-major order, each result with the closure of its derivative. Nothing here
/// calls the library.
/// </summary>
internal sealed class Slow
{
    private readonly Slow[] inputs;
    private readonly Action<double[]>? backward;

    internal Slow(int[] shape, double[] values, Slow[]? inputs = null, Action<double[]>? backward = null)
    {
        (Shape, Values, this.inputs, this.backward) = (shape, values, inputs ?? [], backward);
        Gradient = new double[values.Length];
    }

    internal int[] Shape { get; }
    internal double[] Values { get; }
    internal double[] Gradient { get; }

    internal static int Count(int[] shape) => shape.Aggregate(1, (product, size) => product * size);

    /// <summary>The same values without history.</summary>
    internal Slow Detached() => new(Shape, [.. Values]);

    internal Slow Map(Func<double, double> f, Func<double, double> derivative) =>
        new(Shape, [.. Values.Select(f)], [this], g =>
        {
            for (var i = 0; i < g.Length; i++) Gradient[i] += g[i] * derivative(Values[i]);
        });

    /// <summary>Element by element, broadcast; the derivatives by each operand.</summary>
    internal static Slow Zip(
        Slow a, Slow b, Func<double, double, double> f, Func<double, double, double> byA,
        Func<double, double, double> byB)
    {
        var shape = Broadcast(a.Shape, b.Shape);
        int[] ofA = Places(a.Shape, shape), ofB = Places(b.Shape, shape);
        var values = new double[ofA.Length];
        for (var i = 0; i < values.Length; i++) values[i] = f(a.Values[ofA[i]], b.Values[ofB[i]]);
        return new(shape, values, [a, b], g =>
        {
            for (var i = 0; i < g.Length; i++)
            {
                a.Gradient[ofA[i]] += g[i] * byA(a.Values[ofA[i]], b.Values[ofB[i]]);
                b.Gradient[ofB[i]] += g[i] * byB(a.Values[ofA[i]], b.Values[ofB[i]]);
            }
        });
    }

    /// <summary>
    /// Every view, gather and padding: element i of the result is element <c>from[i]</c>, or 0 where that is −1.
    /// </summary>
    internal Slow Pick(int[] shape, int[] from) =>
        new(shape, [.. from.Select(at => at < 0 ? 0 : Values[at])], [this], g =>
        {
            for (var i = 0; i < g.Length; i++)
                if (from[i] >= 0) Gradient[from[i]] += g[i];
        });

    /// <summary>Element i is added to element <c>into[i]</c> of the result.</summary>
    internal Slow Collect(int[] shape, int[] into)
    {
        var values = new double[Count(shape)];
        for (var i = 0; i < into.Length; i++) values[into[i]] += Values[i];
        return new(shape, values, [this], g =>
        {
            for (var i = 0; i < into.Length; i++) Gradient[i] += g[into[i]];
        });
    }

    /// <summary>(…, m, k)·(…, k, n) for equal leading axes.</summary>
    internal static Slow MatMul(Slow a, Slow b)
    {
        int m = a.Shape[^2], k = a.Shape[^1], n = b.Shape[^1];
        int[] shape = [.. a.Shape[..^1], n];
        var values = new double[Count(shape)];
        var batch = Count(a.Shape[..^2]);
        void Each(Action<int, int, int> visit)
        {
            for (var s = 0; s < batch; s++)
                for (var i = 0; i < m; i++)
                    for (var j = 0; j < n; j++)
                        for (var l = 0; l < k; l++)
                            visit((s * m + i) * n + j, (s * m + i) * k + l, (s * k + l) * n + j);
        }
        Each((c, x, y) => values[c] += a.Values[x] * b.Values[y]);
        return new(shape, values, [a, b], g => Each((c, x, y) =>
        {
            a.Gradient[x] += g[c] * b.Values[y];
            b.Gradient[y] += g[c] * a.Values[x];
        }));
    }

    /// <summary>Cross-correlation (n, c, h, w) ∗ (f, c/groups, kh, kw).</summary>
    internal static Slow Conv2d(Slow x, Slow w, int stride, int padding, int dilation, int groups)
    {
        int n = x.Shape[0], c = x.Shape[1], height = x.Shape[2], width = x.Shape[3];
        int f = w.Shape[0], cg = w.Shape[1], kh = w.Shape[2], kw = w.Shape[3];
        int oh = (height + 2 * padding - dilation * (kh - 1) - 1) / stride + 1;
        int ow = (width + 2 * padding - dilation * (kw - 1) - 1) / stride + 1;
        var values = new double[n * f * oh * ow];
        void Each(Action<int, int, int> visit)
        {
            for (var image = 0; image < n; image++)
                for (var filter = 0; filter < f; filter++)
                    for (var i = 0; i < oh; i++)
                        for (var j = 0; j < ow; j++)
                            for (var channel = 0; channel < cg; channel++)
                                for (var p = 0; p < kh; p++)
                                    for (var q = 0; q < kw; q++)
                                    {
                                        int y = i * stride - padding + p * dilation,
                                            z = j * stride - padding + q * dilation;
                                        if (y < 0 || y >= height || z < 0 || z >= width) continue;
                                        var from = filter / (f / groups) * cg + channel;
                                        visit(((image * f + filter) * oh + i) * ow + j,
                                            ((image * c + from) * height + y) * width + z,
                                            ((filter * cg + channel) * kh + p) * kw + q);
                                    }
        }
        Each((at, input, weight) => values[at] += x.Values[input] * w.Values[weight]);
        return new([n, f, oh, ow], values, [x, w], g => Each((at, input, weight) =>
        {
            x.Gradient[input] += g[at] * w.Values[weight];
            w.Gradient[weight] += g[at] * x.Values[input];
        }));
    }

    /// <summary>Adds ∂(Σ of this)/∂ to the gradients of all that it was made of.</summary>
    internal void Backward()
    {
        var order = new List<Slow>();
        var seen = new HashSet<Slow>();
        Visit(this);
        Array.Fill(Gradient, 1);
        for (var i = order.Count - 1; i >= 0; i--) order[i].backward?.Invoke(order[i].Gradient);

        void Visit(Slow node)
        {
            if (!seen.Add(node)) return;
            foreach (var input in node.inputs) Visit(input);
            order.Add(node);
        }
    }

    internal static int[] Broadcast(int[] a, int[] b)
    {
        var rank = Math.Max(a.Length, b.Length);
        var shape = new int[rank];
        for (var axis = 1; axis <= rank; axis++)
        {
            var (p, q) = (axis <= a.Length ? a[^axis] : 1, axis <= b.Length ? b[^axis] : 1);
            shape[^axis] = p == 1 ? q : p;
        }
        return shape;
    }

    /// <summary>
    /// For each element of <paramref name="to"/>, row-major, which element of <paramref name="from"/> is broadcast to
    /// it.
    /// </summary>
    internal static int[] Places(int[] from, int[] to) => [.. Indices(to).Select(index =>
    {
        var at = 0;
        for (var axis = 0; axis < from.Length; axis++)
            at = at * from[axis] + (from[axis] == 1 ? 0 : index[to.Length - from.Length + axis]);
        return at;
    })];

    /// <summary>All indices of a shape in row-major order; the array is reused.</summary>
    internal static IEnumerable<int[]> Indices(int[] shape)
    {
        var index = new int[shape.Length];
        for (var left = Count(shape); left > 0; left--)
        {
            yield return index;
            for (var axis = shape.Length - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--) index[axis] = 0;
        }
    }

    /// <summary>Where an index lies in row-major order.</summary>
    internal static int At(int[] shape, params ReadOnlySpan<int> index)
    {
        var at = 0;
        for (var axis = 0; axis < shape.Length; axis++) at = at * shape[axis] + index[axis];
        return at;
    }
}
