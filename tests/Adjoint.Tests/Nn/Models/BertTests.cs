using System.Globalization;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Nn;

/// <summary>BERT against a forward pass in NumPy: Goldens/bert.py prints names, shapes and states.</summary>
public class BertTests
{
    private const int Count = 2, Length = 5;

    private static readonly BertOptions Small = new()
    {
        Vocabulary = 11,
        Context = 7,
        Width = 8,
        Heads = 2,
        Layers = 2,
        FeedForward = 12,
    };

    private static readonly Tensor Tokens =
        Tensor.From([.. Enumerable.Range(0, Count * Length).Select(i => (long)i * i % 11)], Count, Length);

    private static readonly Tensor Types =
        Tensor.From([.. Enumerable.Range(0, Count * Length).Select(i => i % Length > 2 ? 1L : 0)], Count, Length);

    private static readonly AttentionMask Padded = new() { Lengths = Tensor.From(new long[] { 5, 3 }) };

    private static readonly string Folder =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Goldens");

    [Fact]
    public void Names_and_states_are_those_of_the_reference() =>
        Compare(File.ReadAllLines(Path.Combine(Folder, "bert.txt")));

    [Fact]
    public async Task The_golden_file_is_what_the_reference_says_today() =>
        Compare(await PyTorchScript.LinesOf(Path.Combine(Folder, "bert.py")));

    [Fact]
    public void What_padding_holds_does_not_matter()
    {
        var model = FormulaWeights.Fill(new Bert(Small)).Eval();
        var other = Tokens.Clone();
        other[1, 3..].Fill(10);
        using var _ = new NoGrad();
        var (hidden, pooled) = model.Forward(Tokens, Types, Padded);
        var (same, alsoSame) = model.Forward(other, Types, Padded);
        Assert.Equal(pooled.ToArray<float>(), alsoSame.ToArray<float>());
        Assert.Equal(hidden[1, ..3].ToArray<float>(), same[1, ..3].ToArray<float>());
        Assert.NotEqual(hidden.ToArray<float>(), same.ToArray<float>());
    }

    [Fact]
    public void Initial_values_are_those_of_the_paper()
    {
        var model = new BertClassifier(3, new() { Vocabulary = 90, Width = 64, Heads = 4, Layers = 2 }, new(1));
        foreach (var (name, value) in model.NamedParameters())
        {
            var deviation = value.Square().Mean().Sqrt().Item();
            var expected = name.EndsWith("bias", StringComparison.Ordinal) ? 0 : value.Rank == 1 ? 1 : 0.02;
            var tolerance = value.Length < 1000 ? 0.2 : 0.05;
            Assert.True(Math.Abs(deviation - expected) <= tolerance * expected, $"{name}: {deviation}");
        }
    }

    [Fact]
    public void Derivatives_are_those_of_differences()
    {
        var options = Small with { Layers = 1, Width = 4, FeedForward = 3, Dropout = 0, AttentionDropout = 0 };
        var model = FormulaWeights.Fill(new BertClassifier(2, options)).To(DType.Float64);
        var result = GradCheck.Run(
            _ => Loss.CrossEntropy(model.Forward(Tokens, Types, Padded), Tensor.From(new long[] { 1, 0 })),
            [.. model.Parameters()]);
        Assert.True(result.MaxError < 1e-6, result.Worst);
    }

    [Fact]
    public void Training_lowers_the_loss()
    {
        var model = new BertClassifier(2, Small, new(3));
        var optimizer = new AdamW(model.Parameters(), 0.02);
        var labels = Tensor.From(new long[] { 1, 0 });
        var losses = new List<double>();
        for (var step = 0; step < 20; step++)
        {
            optimizer.ZeroGrad();
            var loss = Loss.CrossEntropy(model.Forward(Tokens, Types, Padded), labels);
            loss.Backward();
            optimizer.Step();
            losses.Add(loss.Item());
        }
        Assert.True(losses[^1] < losses[0] / 2, string.Join(' ', losses));
    }

    [Fact]
    public void Captured_it_has_the_bits_of_the_eager_one()
    {
        var model = FormulaWeights.Fill(new Bert(Small)).Eval();
        var captured = CapturedFunction.Create((tokens, types) => model.Forward(tokens, types, Padded).Pooled);
        for (var call = 0; call < 3; call++)
        {
            using var _ = new NoGrad();
            var tokens = (Tokens + call).Remainder(11);
            Assert.Equal(model.Forward(tokens, Types, Padded).Pooled.ToArray<float>(),
                captured.Run(tokens, Types).ToArray<float>());
        }
        Assert.True(captured.IsCaptured);
    }

    [Fact]
    public void It_comes_back_from_a_model_file()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("adjoint-bert-").FullName, "bert.safetensors");
        try
        {
            foreach (var options in (BertOptions[])[Small, Small with { HasPooler = false, Epsilon = 1e-5 }])
            {
                var model = FormulaWeights.Fill(new Bert(options)).Eval();
                model.Save(path);
                var read = Assert.IsType<Bert>(ModelFile.Read(path).Model);
                Assert.Equal(options, read.Options);
                using var _ = new NoGrad();
                var ((hidden, pooled), (same, alsoSame)) = (model.Forward(Tokens), read.Forward(Tokens));
                Assert.True(hidden.HasBitsOf(same) && pooled.HasBitsOf(alsoSame));
                if (!options.HasPooler) Assert.Equal(hidden[.., 0].ToArray<float>(), pooled.ToArray<float>());
            }
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var model = new Bert(Small, new(1));
        AssertMessage("Bert: tokens (n, t) int64 with t from 1 are needed: found (5,) int64; one sequence alone takes "
            + ".Unsqueeze(0), other types .To(DType.Int64)", () => model.Forward(Tokens[0]));
        AssertMessage("Bert: 8 tokens are more than its 7 positions; use shorter sequences, or a model with a longer "
            + "context", () => model.Forward(Tensor.Zeros([1, 8], DType.Int64)));
        AssertMessage("Bert: segments int64 of the tokens' shape (2, 5) are needed: found (2, 4) int64; each token is "
            + "in one", () => model.Forward(Tokens, Types[.., ..4]));
        AssertMessage("embeddings.word_embeddings (Embedding(11, 8)): Embedding: index 11",
            () => model.Forward(Tensor.Full([1, 1], 11, DType.Int64)));
        AssertMessage("embeddings.token_type_embeddings (Embedding(2, 8)): Embedding: index 2",
            () => model.Forward(Tokens, Tensor.Full([2, 5], 2, DType.Int64)));
        AssertMessage("Bert: the heads must divide the width: found 3 heads of a width of 8",
            () => new Bert(Small with { Heads = 3 }));
        AssertMessage("Bert: vocabulary, context, types and layers must be positive: found 11, 7, 2 and 0",
            () => new Bert(Small with { Layers = 0 }));
        AssertMessage("Bert: the dropout of attention must be in [0, 1): found 1",
            () => new Bert(Small with { AttentionDropout = 1 }));
        AssertMessage("BertClassifier: the encoder needs a pooler; set HasPooler",
            () => new BertClassifier(2, Small with { HasPooler = false }));
    }

    private static void Compare(string[] lines)
    {
        var model = FormulaWeights.Fill(new Bert(Small)).Eval();
        Assert.Equal(
            lines.Where(line => line.StartsWith("state ", StringComparison.Ordinal)),
            model.StateDict().Select(one => $"state | {one.Key} {string.Join(' ', one.Value.Shape.Sizes.ToArray())}"));
        using var _ = new NoGrad();
        foreach (var (type, tolerance) in ((DType, double)[])[(DType.Float32, 1e-5), (DType.Float64, 1e-12)])
        {
            model.To(type);
            foreach (var (name, (hidden, pooled)) in ((string, (Tensor, Tensor))[])
                [("plain", model.Forward(Tokens)), ("segments and padding", model.Forward(Tokens, Types, Padded))])
            {
                AssertClose(lines, $"{name}, hidden", hidden, tolerance);
                AssertClose(lines, $"{name}, pooled", pooled, tolerance);
            }
        }
    }

    private static void AssertClose(string[] lines, string name, Tensor values, double tolerance)
    {
        var line = lines.Single(line => line.StartsWith($"{name} | ", StringComparison.Ordinal));
        double[] expected =
            [.. line.Split(" | ")[1].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
        var found = values.To(DType.Float64).ToArray<double>();
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < found.Length; i++)
            Assert.True(Math.Abs(found[i] - expected[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])),
                $"{name}[{i}], {values.DType}: {found[i]}, in NumPy {expected[i]}");
    }

    private static void AssertMessage(string part, Action act) =>
        Assert.Contains(part, Assert.ThrowsAny<AdjointException>(act).Message, StringComparison.Ordinal);
}
