using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class AttentionCases
{
    private const string Elsewhere = "AttentionTests: what is not seen may be NaN";
    private const double Dropout = 0.4;

    private static readonly long[] Lengths = [3, 0];

    private static readonly bool[] Visible =
        [true, false, true, true, false, false, false, false, false, true, true, true];

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("ScaledDotProductAttention", Plain.Shapes, Plain.Value) with
        {
            SpecialPoints = Elsewhere, HalfUnits = 4,
            Large = new([[2, 3, 70, 20], [2, 3, 200, 20], [2, 3, 200, 36]]),
            Empty =
            [
                new([[2, 4, 3, 2], [2, 2, 0, 2], [2, 2, 0, 5]], [2, 4, 3, 5]),
                new([[2, 4, 0, 2], [2, 2, 3, 2], [2, 2, 3, 5]], [2, 4, 0, 5]),
                new([[0, 4, 3, 2], [0, 2, 3, 2], [0, 2, 3, 5]], [0, 4, 3, 5]),
            ],
            Bad =
            [
                Bad([2, 4, 3, 8], [2, 4, 5, 8], [2, 4, 6, 8], null,
                    "queries (n, h, t, d), keys (n, g, s, d) and values (n, g, s, e) are needed: found (2, 4, 3, 8), "
                    + "(2, 4, 5, 8) and (2, 4, 6, 8); bring them there with .Reshape(…) and .Permute(…)"),
                Bad([2, 3, 8], [2, 4, 5, 8], [2, 4, 5, 8], null,
                    "queries (n, h, t, d), keys (n, g, s, d) and values (n, g, s, e) are needed: found (2, 3, 8), "
                    + "(2, 4, 5, 8) and (2, 4, 5, 8); bring them there with .Reshape(…) and .Permute(…)"),
                Bad([2, 4, 3, 8], [2, 3, 5, 8], [2, 3, 5, 8], null,
                    "the heads of keys and values must divide those of the queries: found 3 for 4; share each head of "
                    + "keys between equally many heads of queries"),
                new(() => Tensor.Zeros(1, 1, 2, 2).ScaledDotProductAttention(
                        Tensor.Zeros(1, 1, 2, 2).To(DType.Float64), Tensor.Zeros(1, 1, 2, 2)),
                    "ScaledDotProductAttention: queries, keys and values must be of one floating type: found float32, "
                    + "float64 and float32; cast with .To(…)"),
                Bad(new() { Mask = Tensor.Zeros(2, 3, 4).To(DType.Bool) },
                    "the mask must broadcast to (n, h, t, s) = (2, 4, 3, 5): found (2, 3, 4); give axes along which it "
                    + "is the same the size 1"),
                Bad(new() { Mask = Tensor.Zeros(3, 5).To(DType.Int64) },
                    "the mask must be bool, true where a query sees a key, or float32, added to the scores: found "
                    + "int64; compare, as in mask.NotEqualTo(0), or cast with .To(…)"),
                Bad(new() { AlibiSlopes = Tensor.Zeros(2) },
                    "ALiBi's slopes must be (4) of floating type, one for each head: found (2,) float32; make them "
                    + "with Tensor.From(…)"),
                Bad(new() { AlibiSlopes = Tensor.Zeros(4).RequireGrad() },
                    "ALiBi's slopes are constants: found some that require a gradient; add what is to be learned as a "
                    + "floating mask"),
                Bad(new() { KeyLengths = Tensor.Zeros(2) },
                    "the lengths of the keys must be (2) int64, one for each sample: found (2,) float32; give the "
                    + "number of keys that are no padding, cast with .To(DType.Int64)"),
                Bad(new() { KeyLengths = Tensor.From(new long[] { 5, 6 }) },
                    "the lengths must be from 0 to 5, the number of keys: found 6 for sample 1; count the keys that "
                    + "are no padding"),
                Bad(new() { Dropout = 1 }, "the dropout must be in [0, 1): found 1; use 0 for none"),
            ],
        },
        Row("causal", new(1, 2, 2, 3, 5, 2, 2) { IsCausal = true }, new() { IsCausal = true }),
        Row("causal, of more queries than keys", new(1, 1, 1, 5, 3, 2, 2) { IsCausal = true },
            new() { IsCausal = true }),
        Row("of grouped queries", new(2, 4, 2, 3, 3, 2, 1), new()),
        Row("with a bool mask",
            new(2, 1, 1, 3, 4, 2, 2) { Sees = (_, _, i, j) => Visible[i * 4 + j] },
            new() { Mask = Tensor.From(Visible, 3, 4).Keep() }),
        Row("with lengths of keys", new(2, 1, 1, 2, 4, 3, 2) { Sees = (n, _, _, j) => j < Lengths[n] },
            new() { KeyLengths = Tensor.From(Lengths).Keep() }),
        Row("with ALiBi and a scale", new(1, 2, 1, 4, 3, 2, 2)
        {
            Scale = 1.5,
            Bias = (_, h, i, j) => -(h == 0 ? 0.5 : 0.25) * Math.Abs(i - 1 - j),
        }, new() { Scale = 1.5, AlibiSlopes = Tensor.From([0.5, 0.25]).Keep() }),
        Row("with dropout", new(1, 2, 2, 3, 6, 2, 2)
        {
            Factor = NaiveAttention.Dropped(Dropout, FromSeed[0], FromSeed[1], 2, 3, 6),
        }, new() { Dropout = Dropout }) with
        {
            Call = x => x[0].ScaledDotProductAttention(x[1], x[2],
                new() { Dropout = Dropout, Generator = new Generator(5) }),
            Uncapturable = "a Generator that is created inside is drawn from",
            Large = new([[1, 2, 33, 8], [1, 2, 65, 8], [1, 2, 65, 8]]),
        },
        new("ScaledDotProductAttention, with a floating mask",
            x => x[0].ScaledDotProductAttention(x[1], x[2], new() { Mask = x[3], IsCausal = true }),
            [[2, 2, 3, 2], [2, 2, 4, 2], [2, 2, 4, 2], [2, 1, 4]],
            x => new NaiveAttention(2, 2, 2, 3, 4, 2, 2)
            {
                IsCausal = true, Bias = (_, h, _, j) => x[3][h * 4 + j],
            }.Value(x))
        {
            SpecialPoints = Elsewhere, HalfUnits = 4,
            Large = new([[2, 3, 40, 8], [2, 3, 200, 8], [2, 3, 200, 8], [3, 40, 200]]),
        },
        new("ScaledDotProductAttention, without samples",
            x => x[0].ScaledDotProductAttention(x[1], x[2]), [[2, 3, 2], [1, 4, 2], [1, 4, 2]],
            new NaiveAttention(1, 2, 1, 3, 4, 2, 2).Value)
        {
            SpecialPoints = Elsewhere, HalfUnits = 4,
        },
    ];

    private static NaiveAttention Plain => new(1, 2, 2, 3, 4, 2, 3);

    // What a generator of the seed gives to dropout.
    private static double[] FromSeed => Tensor.Rand([2], new Generator(5), DType.Float64).ToArray<double>();

    private static BadInput Bad(int[] q, int[] k, int[] v, AttentionOptions? options, string message) => new(
        () => Tensor.Zeros(q).ScaledDotProductAttention(Tensor.Zeros(k), Tensor.Zeros(v), options),
        $"ScaledDotProductAttention: {message}");

    private static BadInput Bad(AttentionOptions options, string message) =>
        Bad([2, 4, 3, 8], [2, 2, 5, 8], [2, 2, 5, 6], options, message);

    private static OpCase Row(string name, NaiveAttention naive, AttentionOptions options) => new(
        $"ScaledDotProductAttention, {name}", x => x[0].ScaledDotProductAttention(x[1], x[2], options), naive.Shapes,
        naive.Value)
    {
        SpecialPoints = Elsewhere,
        HalfUnits = 4,
    };
}
