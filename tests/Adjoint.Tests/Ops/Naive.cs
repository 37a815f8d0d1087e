namespace Adjoint.Tests.Ops;

/// <summary>
/// What the references of the table are made of: plain loops over flat arrays, and domains to draw inputs from.
/// </summary>
internal static class Naive
{
    internal static readonly Func<double, double> Positive = x => Math.Abs(x) + 0.3;

    /// <summary>At least 0.1 from 0 and ±1.</summary>
    internal static readonly Func<double, double> AwayFromKinks = x =>
        Math.Sign(x) * (Math.Abs(x) < 1 ? 0.1 + 0.8 * Math.Abs(x) : 1.1 + Math.Abs(x));

    /// <summary>Spreads numbers over the parts that two kinks divide, at least 0.2 from both.</summary>
    internal static Func<double, double> AwayFrom(double first, double second) => x =>
        x < -1 ? first + x + 0.8 : x > 1 ? second + x - 0.8 : (first + second) / 2 + x * ((second - first) / 2 - 0.2);

    /// <summary>Fixed pseudo-random indices from 0 on, as a vector or a matrix.</summary>
    internal static Tensor Integers(int count, int below, int columns = 0)
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, count).Select(_ => (long)random.Next(below)).ToArray();
        return columns == 0 ? Tensor.From(values) : Tensor.From(values, count / columns, columns);
    }

    internal static int Count(int[] shape) => shape.Aggregate(1, (a, b) => a * b);

    internal static double[] Rows(double[] x, int width, Func<double[], double[]> f) =>
        [.. x.Chunk(width).SelectMany(f)];

    internal static double Mean(double[] x, params int[] at) => at.Average(i => x[i]);

    // x (n, c, h, w) with filters (f, c / groups, kh, kw): for each output, the taps that meet the image.
    internal static double[] Conv(
        double[] x, int[] xs, double[] w, int[] ws, double[]? b, (int H, int W) stride, (int H, int W) pad,
        (int H, int W) dilation, int groups)
    {
        var height = (xs[2] + 2 * pad.H - dilation.H * (ws[2] - 1) - 1) / stride.H + 1;
        var width = (xs[3] + 2 * pad.W - dilation.W * (ws[3] - 1) - 1) / stride.W + 1;
        double Input(int n, int c, int row, int column) =>
            row < 0 || row >= xs[2] || column < 0 || column >= xs[3]
                ? 0
                : x[((n * xs[1] + c) * xs[2] + row) * xs[3] + column];

        double Output(int n, int f, int i, int j) => (b?[f] ?? 0) + (
            from c in To(ws[1])
            from ky in To(ws[2])
            from kx in To(ws[3])
            select w[((f * ws[1] + c) * ws[2] + ky) * ws[3] + kx]
                * Input(n, f / (ws[0] / groups) * ws[1] + c, i * stride.H + ky * dilation.H - pad.H,
                    j * stride.W + kx * dilation.W - pad.W)).Sum();

        return [.. from n in To(xs[0]) from f in To(ws[0]) from i in To(height) from j in To(width)
                   select Output(n, f, i, j)];
    }

    // x (n, f, h, w) with filters (f, c / groups, kh, kw): each input is spread over the outputs that its taps meet.
    internal static double[] ConvTransposed(
        double[] x, int[] xs, double[] w, int[] ws, double[] b, (int H, int W) stride, (int H, int W) pad, int height,
        int width, (int H, int W)? dilated = null, int groups = 1)
    {
        var dilation = dilated ?? (1, 1);
        var channels = ws[1] * groups;
        var y = new double[xs[0] * channels * height * width];
        for (var i = 0; i < y.Length; i++) y[i] = b[i / (height * width) % channels];
        var taps = from n in To(xs[0])
                   from f in To(xs[1])
                   from i in To(xs[2])
                   from j in To(xs[3])
                   from c in To(ws[1])
                   from ky in To(ws[2])
                   from kx in To(ws[3])
                   select (n, f, i, j, c, ky, kx);
        foreach (var (n, f, i, j, c, ky, kx) in taps)
        {
            var row = i * stride.H + ky * dilation.H - pad.H;
            var column = j * stride.W + kx * dilation.W - pad.W;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            var channel = f / (xs[1] / groups) * ws[1] + c;
            y[((n * channels + channel) * height + row) * width + column] +=
                x[((n * xs[1] + f) * xs[2] + i) * xs[3] + j] * w[((f * ws[1] + c) * ws[2] + ky) * ws[3] + kx];
        }
        return y;
    }

    // x (2, 1, 3, 3), g (2, 2, 2, 2) → (2, 1, 2, 2)
    internal static double[] WeightGradient(double[] x, double[] g) =>
        [.. from f in To(2) from ky in To(2) from kx in To(2)
            select (from n in To(2) from i in To(2) from j in To(2)
                    select g[((n * 2 + f) * 2 + i) * 2 + j] * x[(n * 3 + i + ky) * 3 + j + kx]).Sum()];

    // What lies in each window, padding left out.
    internal static double[] Pool(
        double[] x, int planes, int h, int w, int kernel, int stride, int pad, int height, int width,
        Func<IEnumerable<double>, double> f) =>
        [.. from p in To(planes) from i in To(height) from j in To(width)
            select f(from ky in To(kernel)
                     from kx in To(kernel)
                     let row = i * stride + ky - pad
                     let column = j * stride + kx - pad
                     where row >= 0 && row < h && column >= 0 && column < w
                     select x[(p * h + row) * w + column])];

    // Windows of 3 with stride 2 and padding 1, rounded up: padding counts, what lies beyond it does not.
    internal static double[] AveragePadded(double[] x, int planes, int h, int w)
    {
        var sums = Pool(x, planes, h, w, 3, 2, 1, 3, 3, window => window.Sum());
        static int Covered(int i, int size) => Math.Min(2 * i + 2, size + 1) - 2 * i + 1;
        return [.. sums.Select((sum, at) => sum / (Covered(at / 3 % 3, h) * Covered(at % 3, w)))];
    }

    // The tent of each pixel's center, cut off at the edges.
    internal static double[] Bilinear(double[] x, int planes, int h, int w, int height, int width)
    {
        static double Weight(int i, int size, int k, int old) =>
            Math.Max(0, 1 - Math.Abs(Math.Clamp((i + 0.5) * old / size - 0.5, 0, old - 1) - k));
        return [.. from p in To(planes) from i in To(height) from j in To(width)
                   select (from k in To(h) from l in To(w)
                           select Weight(i, height, k, h) * Weight(j, width, l, w) * x[(p * h + k) * w + l]).Sum()];
    }

    // By the mean and variance of each group, then the parameters of each element.
    internal static double[] Normalized(
        double[] x, Func<int, int> group, Func<int, int> parameter, double[] gamma, double[] beta, double epsilon)
    {
        var groups = To(x.Length).GroupBy(group).ToDictionary(each => each.Key, each =>
        {
            var mean = each.Average(i => x[i]);
            return (Mean: mean, Var: each.Average(i => Math.Pow(x[i] - mean, 2)));
        });
        return [.. x.Select((a, i) => gamma[parameter(i)] * (a - groups[group(i)].Mean)
            / Math.Sqrt(groups[group(i)].Var + epsilon) + beta[parameter(i)])];
    }

    internal static double Nll(double[] row, int label) => Math.Log(row.Sum(Math.Exp)) - row[label];

    internal static double[] MatMul(double[] a, double[] b, int m, int k, int n)
    {
        var c = new double[m * n];
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
                for (var l = 0; l < k; l++) c[i * n + j] += a[i * k + l] * b[l * n + j];
        return c;
    }

    // Φ by its power series (Marsaglia 2004), which converges for every x used here.
    internal static double Phi(double x)
    {
        double sum = x, term = x;
        for (var i = 3; i < 200; i += 2) sum += term *= x * x / i;
        return 0.5 + sum * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
    }

    internal static IEnumerable<int> To(int count) => Enumerable.Range(0, count);
}
