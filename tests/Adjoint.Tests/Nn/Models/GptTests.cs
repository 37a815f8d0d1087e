using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class GptTests
{
    private static readonly GptOptions Small =
        new() { Vocabulary = 7, Context = 12, Width = 16, Heads = 4, Layers = 2 };

    public static TheoryData<string, GptOptions> Kinds() => new()
    {
        { "learned", Small },
        { "sinusoidal, untied", Small with { Positions = PositionKind.Sinusoidal, IsTied = false } },
        { "rotary, grouped, RMS", Small with
        {
            Positions = PositionKind.Rotary, KeyValueHeads = 2, Norm = NormKind.Rms,
            Activation = FeedForwardActivation.Silu,
        } },
        { "ALiBi, one head of keys", Small with { Positions = PositionKind.Alibi, KeyValueHeads = 1 } },
    };

    [Fact]
    public void Initial_values_are_those_of_GPT_2()
    {
        var model = new Gpt(new() { Vocabulary = 50, Context = 40, Width = 64, Layers = 8, Heads = 4 }, new(1));
        foreach (var (name, value) in model.NamedParameters())
        {
            var deviation = value.Square().Mean().Sqrt().Item();
            var expected = name.EndsWith("bias", StringComparison.Ordinal) ? 0
                : value.Rank == 1 ? 1
                : name.Contains("out_proj") || name.Contains("linear2") ? 0.02 / 4 : 0.02;
            Assert.True(Math.Abs(deviation - expected) <= 0.05 * expected, $"{name}: {deviation}");
        }
        Assert.Equal(50 * 64 + 40 * 64 + 8 * (12 * 64 * 64 + 13 * 64) + 2 * 64,
            model.Parameters().Sum(parameter => parameter.Length));
    }

    [Fact]
    public void Tied_weights_are_one_parameter_with_both_gradients()
    {
        var (tied, untied) = (new Gpt(Small, new(1)), new Gpt(Small with { IsTied = false }, new(1)));
        Assert.Equal("tokens.weight", tied.StateDict().Keys.First());
        Assert.Equal(tied.Parameters().Sum(one => one.Length) + 7 * 16, untied.Parameters().Sum(one => one.Length));
        untied.LoadStateDict(new Dictionary<string, Tensor>(tied.StateDict())
        {
            ["output.weight"] = tied.OutputWeight.Detach(),
        });
        var x = Tensor.From(new long[] { 0, 3, 6, 1 }, 1, 4);
        foreach (var model in (Gpt[])[tied, untied]) model.Forward(x).Square().Sum().Backward();
        var sum = untied.OutputWeight.Grad! + untied.NamedParameters().First().Value.Grad!;
        Assert.All(tied.OutputWeight.Grad!.ToArray<float>().Zip(sum.ToArray<float>()),
            pair => Assert.Equal(pair.Second, pair.First, 1e-6));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Cached_it_has_the_logits_of_the_whole_sequence(string name, GptOptions options)
    {
        var model = new Gpt(options, new(3));
        Enlarge(model);
        model.Eval();
        var tokens = (Tensor.Rand([3, 12], new Generator(4)) * 6.999).To(DType.Int64);
        foreach (var (type, tolerance) in ((DType, double)[])[(DType.Float32, 1e-5), (DType.Float64, 1e-12)])
        {
            model.To(type);
            using var _ = new NoGrad();
            var all = model.Forward(tokens).To(DType.Float64);
            var spread = all.Abs().Max().Item();
            Assert.True(spread > 0.1, $"{name}: {spread}");
            // Token by token; a prompt and what follows; a prompt in chunks.
            foreach (var parts in (int[][])[[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [5, 1, 1, 5], [3, 4, 1, 2, 2], [12]])
            {
                var state = model.CreateState(3, 12);
                var start = 0;
                foreach (var count in parts)
                {
                    var part = tokens.Slice(1, start, count);
                    var logits = model.Next(part, state).To(DType.Float64);
                    start += count;
                    Assert.Equal(start, state.Length);
                    var error = (logits - all.Select(1, start - 1)).Abs().Max().Item();
                    Assert.True(error <= tolerance * Math.Max(1, spread),
                        $"{name} {type}, after {start} of {string.Join('+', parts)}: {error}");
                }
            }
        }
    }

    [Fact]
    public void Samples_of_a_batch_do_not_see_each_other()
    {
        var model = new Gpt(Small with { Positions = PositionKind.Rotary }, new(3)).To(DType.Float64);
        Enlarge(model);
        var tokens = (Tensor.Rand([3, 5], new Generator(4)) * 6.999).To(DType.Int64);
        var all = model.Forward(tokens);
        for (var i = 0; i < 3; i++)
            Assert.All(model.Forward(tokens.Slice(0, i, 1)).ToArray<double>().Zip(all[i].ToArray<double>()),
                pair => Assert.Equal(pair.Second, pair.First, 1e-12));
        // Nor does a token see later ones.
        Assert.All(model.Forward(tokens.Slice(1, 0, 2)).ToArray<double>().Zip(all[.., ..2].ToArray<double>()),
            pair => Assert.Equal(pair.Second, pair.First, 1e-12));
    }

    [Fact]
    public void Derivatives_are_those_of_differences()
    {
        var model = new Gpt(new() { Vocabulary = 3, Context = 3, Width = 4, Heads = 2, Layers = 1, FeedForward = 3 },
            new(1)).To(DType.Float64);
        Enlarge(model);
        var (x, y) = (Tensor.From(new long[] { 0, 2, 1 }, 1, 3), Tensor.From(new long[] { 2, 1, 1 }));
        var result = GradCheck.Run(
            _ => Loss.CrossEntropy(model.Forward(x).Reshape(3, 3), y), [.. model.Parameters()]);
        Assert.True(result.MaxError < 1e-6, result.Worst);
    }

    [Fact]
    public void A_captured_step_draws_and_computes_as_eager_does()
    {
        static (Gpt Model, Func<Tensor, Tensor> Step) Create()
        {
            var model = new Gpt(Small with { Dropout = 0.2 }, new(9));
            return (model, x =>
            {
                foreach (var parameter in model.Parameters()) parameter.ZeroGrad();
                var loss = model.Forward(x).LogSoftmax().Square().Mean();
                loss.Backward();
                return loss;
            }
            );
        }

        var (one, eager) = Create();
        var (other, step) = Create();
        var captured = CapturedFunction.Create(step);
        for (var call = 0; call < 4; call++)
        {
            var x = (Tensor.Rand([2, 5], new Generator((ulong)call)) * 6.999).To(DType.Int64);
            Assert.Equal(eager(x).Item(), captured.Run(x).Item());
            Assert.All(one.Parameters().Zip(other.Parameters()), pair =>
                Assert.Equal(pair.First.Grad!.ToArray<float>(), pair.Second.Grad!.ToArray<float>()));
        }
        Assert.True(captured.IsCaptured);
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_leaves_the_state()
    {
        var model = new Gpt(Small, new(1));
        model.Eval();
        using var _ = new NoGrad();
        var state = model.CreateState(1, 3);
        model.Next(Tensor.From(new long[] { 1, 2 }, 1, 2), state);
        AssertMessage("Gpt: 2 more tokens do not fit the state: there are 2 of its capacity of 3; make one with a "
            + "larger capacity, CreateState(1, …)", () => model.Next(Tensor.Zeros([1, 2], DType.Int64), state));
        AssertMessage("tokens (Embedding(7, 16)): Embedding: index 7",
            () => model.Next(Tensor.From(new long[] { 7 }, 1, 1), state));
        AssertMessage("Gpt: 13 tokens are more than its 12 positions; use shorter sequences, or a model with a longer "
            + "context", () => model.Forward(Tensor.Zeros([1, 13], DType.Int64)));
        AssertMessage("Gpt: the capacity of a state must be from 1 to 12 tokens, its positions: found 13",
            () => model.CreateState(1, 13));
        AssertMessage("Gpt: the state is that of another model; make one with CreateState",
            () => new Gpt(Small).Next(Tensor.Zeros([1, 1], DType.Int64), state));
        var expected = model.Forward(Tensor.From(new long[] { 1, 2, 3 }, 1, 3));
        // A hook that fails in the second layer leaves the first with a key too many.
        using (model.Layers[1].RegisterForwardHook((_, _, _) => throw new AdjointException("stopped")))
            AssertMessage("stopped", () => model.Next(Tensor.From(new long[] { 5 }, 1, 1), state));
        var logits = model.Next(Tensor.From(new long[] { 3 }, 1, 1), state);
        Assert.All(logits.ToArray<float>().Zip(expected[0, 2].ToArray<float>()),
            pair => Assert.Equal(pair.Second, pair.First, 1e-6));
    }

    [Fact]
    public void Only_tables_of_positions_limit_the_length()
    {
        var x = Tensor.Zeros([1, 20], DType.Int64);
        foreach (var kind in Enum.GetValues<PositionKind>())
        {
            var model = new Gpt(Small with { Positions = kind }, new(1));
            Assert.Equal(kind is PositionKind.Learned or PositionKind.Sinusoidal ? 12 : null, model.MaxLength);
            if (model.MaxLength is null) Assert.Equal((Shape)(int[])[1, 20, 7], model.Forward(x).Shape);
            else Assert.Throws<AdjointException>(() => model.Forward(x));
        }
    }

    // Initial values make logits of almost nothing, which would hide errors.
    private static void Enlarge(Gpt model)
    {
        using var _ = new NoGrad();
        var random = new Generator(11);
        foreach (var parameter in model.Parameters())
            parameter.CopyFrom((Tensor.Randn(parameter.Shape, random) * 0.3).To(parameter.DType) + parameter.Detach());
    }

    private static void AssertMessage(string part, Action act) =>
        Assert.Contains(part, Assert.ThrowsAny<AdjointException>(act).Message, StringComparison.Ordinal);
}
