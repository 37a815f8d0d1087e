using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class MultiHeadAttentionTests
{
    private static readonly Generator Random = new(20261126);

    public static TheoryData<string, MultiHeadAttentionOptions> Kinds() => new()
    {
        { "usual", new() },
        { "grouped", new() { KeyValueHeads = 2, HasBias = false } },
        { "one head of keys", new() { KeyValueHeads = 1 } },
        { "rotary", new() { RotaryTheta = 100 } },
        { "ALiBi", new() { HasAlibi = true } },
    };

    [Fact]
    public void Initial_values_are_PyTorchs()
    {
        var attention = new MultiHeadAttention(32, 4, new() { Generator = new(1) });
        var state = attention.StateDict();
        Assert.Equal(["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"], state.Keys);
        Assert.All(state["in_proj_bias"].ToArray<float>(), b => Assert.Equal(0, b));
        Assert.All(state["out_proj.bias"].ToArray<float>(), b => Assert.Equal(0, b));
        // Uniform: the largest of thousands is close to the limit, the root mean square is the limit / √3.
        var xavier = Math.Sqrt(6.0 / (96 + 32));
        Assert.InRange(state["in_proj_weight"].Abs().Max().Item(), 0.98 * xavier, xavier);
        Assert.InRange(state["out_proj.weight"].Abs().Max().Item(), 0.98 / Math.Sqrt(32), 1 / Math.Sqrt(32));
        Assert.Equal(xavier / Math.Sqrt(3), state["in_proj_weight"].Square().Mean().Sqrt().Item(), 0.02);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Heads_are_those_of_the_definition(string name, MultiHeadAttentionOptions options)
    {
        const int n = 2, t = 4, width = 16, heads = 4, d = 4;
        var attention = new MultiHeadAttention(width, heads, options).To(DType.Float64);
        var groups = attention.KeyValueHeads;
        var x = Tensor.Randn([n, t, width], Random, DType.Float64);
        var (w, o) = (attention.StateDict()["in_proj_weight"], attention.StateDict()["out_proj.weight"]);
        var found = attention.Forward(x, AttentionMask.Causal);
        for (var sample = 0; sample < n; sample++)
            for (var i = 0; i < t; i++)
            {
                var joined = new double[width];
                for (var head = 0; head < heads; head++)
                {
                    var shared = head / (heads / groups);
                    var q = Rotated(Row(head, i), i);
                    double[] scores = [.. Enumerable.Range(0, i + 1).Select(j =>
                        Dot(q, Rotated(Row(heads + shared, j), j)) / Math.Sqrt(d)
                        - (options.HasAlibi ? Math.Pow(2, -8.0 * (head + 1) / heads) * (i - j) : 0))];
                    double[] weights = [.. scores.Select(score => Math.Exp(score) / scores.Sum(Math.Exp))];
                    for (var j = 0; j <= i; j++)
                        for (var k = 0; k < d; k++)
                            joined[head * d + k] += weights[j] * Row(heads + groups + shared, j)[k];
                }
                for (var k = 0; k < width; k++)
                    Assert.True(Math.Abs(Enumerable.Range(0, width).Sum(j => o.ItemAt(k, j) * joined[j])
                        - found.ItemAt(sample, i, k)) < 1e-12, $"{name}: {sample}, {i}, {k}");

                double[] Row(int head, int position) => [.. Enumerable.Range(head * d, d).Select(row =>
                    Enumerable.Range(0, width).Sum(j => w.ItemAt(row, j) * x.ItemAt(sample, position, j)))];
            }

        double[] Rotated(double[] y, int position)
        {
            if (options.RotaryTheta is not { } theta) return y;
            var turned = new double[d];
            for (var k = 0; k < d / 2; k++)
            {
                var (sin, cos) = Math.SinCos(position * Math.Pow(theta, -2.0 * k / d));
                (turned[k], turned[k + d / 2]) = (y[k] * cos - y[k + d / 2] * sin, y[k] * sin + y[k + d / 2] * cos);
            }
            return turned;
        }

        static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Derivatives_are_those_of_differences(string name, MultiHeadAttentionOptions options)
    {
        var attention = new MultiHeadAttention(8, 4, options with { Generator = new(3) }).To(DType.Float64);
        var x = Tensor.Randn([2, 3, 8], new Generator(1), DType.Float64);
        var result = GradCheck.Run(_ => attention.Forward(x, AttentionMask.Causal), [x, .. attention.Parameters()]);
        Assert.True(result.MaxError < 1e-6, $"{name}: {result.Worst}");
    }

    [Fact]
    public void Second_derivatives_are_those_of_differences()
    {
        var attention = new MultiHeadAttention(4, 2, new() { RotaryTheta = 10, Generator = new(3) }).To(DType.Float64);
        var x = Tensor.Randn([1, 3, 4], new Generator(1), DType.Float64);
        var result = GradCheck.RunSecondOrder(one => attention.Forward(one[0], AttentionMask.Causal), [x]);
        Assert.True(result.MaxError < 1e-5, result.Worst);
    }

    [Fact]
    public void Slopes_are_geometric_for_any_number_of_heads()
    {
        Assert.Equal([1 / 4.0, 1 / 16.0, 1 / 64.0, 1 / 256.0],
            MultiHeadAttention.AlibiSlopes(4).ToArray<double>(), Near);
        Assert.Equal([Math.Pow(2, -8 / 3.0), Math.Pow(2, -16 / 3.0), 1 / 256.0],
            MultiHeadAttention.AlibiSlopes(3).ToArray<double>(), Near);
    }

    [Fact]
    public void A_hook_sees_the_weights()
    {
        var attention = new MultiHeadAttention(8, 2, new() { Dropout = 0.5 });
        var x = Tensor.Randn([2, 3, 8], Random);
        var seen = new List<Tensor>();
        using (attention.RegisterWeightsHook((module, weights) =>
        {
            Assert.Same(attention, module);
            seen.Add(weights);
        }))
        {
            attention.Forward(x, new AttentionMask { IsCausal = true, Lengths = Tensor.From(new long[] { 0, 3 }) });
            using (new NoGrad()) attention.Eval().Forward(x);
        }
        attention.Forward(x);
        Assert.Equal(2, seen.Count);
        Assert.All(seen, weights => Assert.Equal((Shape)(int[])[2, 2, 3, 3], weights.Shape));
        // Of the sample without keys nothing, of the other what the triangle leaves.
        Assert.All(seen[0][0].ToArray<float>(), weight => Assert.Equal(0, weight));
        var second = seen[0][1];
        Assert.All(second.Sum(2).ToArray<float>(), sum => Assert.Equal(1, sum, 1e-6));
        Assert.Equal(0, second.ItemAt(1, 0, 1) + second.ItemAt(0, 1, 2));
        Assert.All(seen[1].Sum(3).ToArray<float>(), sum => Assert.Equal(1, sum, 1e-6));
    }

    [Fact]
    public void Weights_are_dropped_in_training_alone()
    {
        var attention = new MultiHeadAttention(8, 2, new() { Dropout = 0.5, Generator = new(5) });
        var x = Tensor.Randn([2, 3, 8], Random);
        float[] Output() => attention.Forward(x).ToArray<float>();
        Assert.NotEqual(Output(), Output());
        attention.Eval();
        Assert.Equal(Output(), Output());
    }

    [Fact]
    public void Captured_it_draws_as_eager_does()
    {
        static (MultiHeadAttention Module, Func<Tensor, Tensor> Step) Create()
        {
            var module = new MultiHeadAttention(8, 2, new() { Dropout = 0.3, RotaryTheta = 50, Generator = new(5) });
            return (module, x =>
            {
                foreach (var parameter in module.Parameters()) parameter.ZeroGrad();
                var y = module.Forward(x, AttentionMask.Causal);
                y.Square().Sum().Backward();
                return y;
            }
            );
        }

        var (one, eager) = Create();
        var (other, step) = Create();
        var captured = CapturedFunction.Create(step);
        for (var call = 0; call < 4; call++)
        {
            var x = Tensor.Randn([2, 5, 8], new Generator((ulong)call));
            Assert.Equal(eager(x).ToArray<float>(), captured.Run(x).ToArray<float>());
            Assert.All(one.Parameters().Zip(other.Parameters()), pair =>
                Assert.Equal(pair.First.Grad!.ToArray<float>(), pair.Second.Grad!.ToArray<float>()));
        }
        Assert.True(captured.IsCaptured);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_path()
    {
        var layer = new TransformerEncoderLayer(8, 2);
        var x = Tensor.Zeros(2, 3, 8);
        AssertMessage("layer self_attn (MultiHeadAttention(8, 2 heads)): MultiHeadAttention: a sequence (n, t, 8) is "
            + "needed: found (3, 8); one sequence alone takes .Unsqueeze(0)", () => layer.Forward(x[0]));
        AssertMessage("layer self_attn (MultiHeadAttention(8, 2 heads)): ScaledDotProductAttention: the mask must",
            () => layer.Forward(x, new AttentionMask { Mask = Tensor.Zeros([3, 4], DType.Bool) }));
        AssertMessage("ScaledDotProductAttention: the lengths of the keys must be (2) int64",
            () => layer.Forward(x, new AttentionMask { Lengths = Tensor.Zeros([3], DType.Int64) }));
        AssertMessage("MultiHeadAttention: queries (n, t, 8), keys and values (n, s, 8) are needed: found (2, 3, 8), "
            + "(3, 3, 8) and (3, 3, 8); batches come first",
            () => layer.SelfAttention.Forward(x, Tensor.Zeros(3, 3, 8), Tensor.Zeros(3, 3, 8)));
        AssertMessage("MultiHeadAttention: the heads must divide the width: found 3 heads of a width of 8",
            () => new MultiHeadAttention(8, 3));
        AssertMessage("MultiHeadAttention: the heads of keys and values must divide the heads: found 3 for 4",
            () => new MultiHeadAttention(8, 4, new() { KeyValueHeads = 3 }));
        AssertMessage("MultiHeadAttention: rotary positions need heads of an even width: found 3; use another number "
            + "of heads", () => new MultiHeadAttention(6, 2, new() { RotaryTheta = 10000 }));
    }

    private static void AssertMessage(string part, Action act) =>
        Assert.Contains(part, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-15;
}
