namespace Adjoint.Tests.Ops;

/// <summary>
/// Every row of <see cref="OpCases"/>, captured: the bits of the eager calls, whatever the inputs become and however
/// they lie.
/// </summary>
public class CapturedCasesTests
{
    // One eager, one that records, the others replay.
    private const int Calls = 5;

    private static readonly DType[] Types = [DType.Float32, DType.Float64, DType.BFloat16, DType.Float16];

    // What cannot be captured, and how that is said.
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["Transfer"] = "a tensor is moved from one device to another",
    };

    // Results without gradients, and ops with several.
    private static readonly (string Name, Func<Tensor[], Tensor[]> Call)[] WithoutGradients =
    [
        ("TopK", x => Of(x[0].TopK(2, 1))),
        ("Sort", x => Of(x[0].Sort(0, descending: true))),
        ("ArgMax", x => [x[0].ArgMax(1), x[0].ArgMin(0)]),
        ("Split", x => x[0].Split([1, 0, 2], 1)),
        ("Chunk", x => x[0].Chunk(2, 1)),
        ("Compare", x =>
            [x[0].Less(x[1]), x[0].GreaterOrEqual(0.3), x[0].EqualTo(x[0]), x[0].Greater(x[1]).To(DType.Int64)]),
        ("Whole numbers", x =>
        {
            var (a, b) = ((x[0] * 5).To(DType.Int64), (x[1] * 5).To(DType.Int32));
            return
            [
                a + b, a * b - 3, a.Maximum(b), a.Abs(), a.Sum(1), a / 2, a.Less(b),
                Tensor.Where(a.Greater(0), a, -a),
            ];
        }),
    ];

    public static TheoryData<string> Names() => [.. OpCases.All.Select(row => row.Name)];

    public static TheoryData<string> Others() => [.. WithoutGradients.Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Values_and_derivatives_have_the_bits_of_the_eager_ones(string name)
    {
        var row = OpCases.All.Single(row => row.Name == name);
        foreach (var type in Types)
            Check(
                given => Derivatives(row, given), call => row.Tensors(row.Inputs(call), type),
                Refused.GetValueOrDefault(name));
    }

    [Theory, MemberData(nameof(Others))]
    public void Results_without_gradients_have_the_bits_of_the_eager_ones(string name)
    {
        var (_, call) = WithoutGradients.Single(row => row.Name == name);
        foreach (var type in Types)
            Check(call, number => [.. Enumerable.Range(2 * number, 2)
                .Select(stream => Tensor.Randn([2, 3], new Generator(7, (ulong)stream), type))]);
    }

    private static void Check(Func<Tensor[], Tensor[]> function, Func<int, Tensor[]> inputs, string? refusal = null)
    {
        var captured = CapturedFunction.Create(function);
        for (var call = 0; call < Calls; call++)
        {
            var given = inputs(call);
            // Transposed in memory, as an input may be.
            if (call == 3) given = [.. given.Select(x => x.Rank < 2 ? x : x.Transpose().Clone().Transpose())];
            if (refusal is not null && call == 1)
            {
                var error = Assert.Throws<CaptureException>(() => captured.Run(given));
                Assert.Contains(refusal, error.Message, StringComparison.Ordinal);
                return;
            }
            // What a plan does not own would be gone.
            if (call == 2) GC.Collect();
            Assert.Equal(function(given).Select(Bits), captured.Run(given).Select(Bits));
            Assert.Equal(call > 0, captured.IsCaptured);
        }
    }

    // The value, its gradients by both rules, and where the op is smooth those of the gradients' squares.
    private static Tensor[] Derivatives(OpCase row, Tensor[] given)
    {
        Tensor[] x = [.. given.Select(one => one.Detach().RequireGrad())];
        var y = row.Call(x);
        if (!y.RequiresGrad) return [y];
        var weights = Tensor.Arange(1, y.Length + 1, dtype: y.DType).Reshape(y.Shape.Sizes);
        var fused = Differentiation.Gradients(y, x, weights, retainGraph: true);
        var composed = Differentiation.Gradients(y, x, weights, createGraph: true);
        var curves = composed.OfType<Tensor>().Where(slope => row.Smooth && slope.RequiresGrad)
            .SelectMany(slope => Differentiation.Gradients(slope.Square().Sum(), x, retainGraph: true));
        return [y.Detach(), .. fused.Concat(composed).Concat(curves).OfType<Tensor>().Select(slope => slope.Detach())];
    }

    private static Tensor[] Of((Tensor Values, Tensor Indices) both) => [both.Values, both.Indices];

    private static long[] Bits(Tensor tensor) => Array.ConvertAll(
        tensor.To(DType.Float64).ToArray<double>(), BitConverter.DoubleToInt64Bits);
}
