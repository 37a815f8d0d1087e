using System.Text;
using Adjoint.Data;
using Adjoint.Generation;
using Adjoint.Nn;

namespace Adjoint.Tests.Generation;

/// <summary>Texts of models whose next token is known.</summary>
public class TextGeneratorTests
{
    private const string Letters = "abcdefgh";

    [Fact]
    public void A_text_follows_the_distribution_of_its_model()
    {
        // Token 0 is for unknown characters, which are left out: what remains is drawn in proportion.
        double[,] probabilities =
        {
            { 0.1, 0.3, 0.3, 0.3 }, { 0.2, 0.08, 0.48, 0.24 }, { 0.5, 0.225, 0.025, 0.25 }, { 0.1, 0.18, 0.27, 0.45 },
        };
        var generator = new TextGenerator(new MarkovModel(probabilities), CharacterText.Fit("xyz"));
        var tokens = generator.GenerateTokens("x", new() { MaxTokens = 6000, Seed = 11 }).Select(one => one.Token)
            .ToArray();
        Assert.Equal(6000, tokens.Length);
        Assert.DoesNotContain(0, tokens);
        for (var from = 1; from < 4; from++)
        {
            var next = tokens.Zip(tokens.Skip(1)).Where(pair => pair.First == from).Select(pair => pair.Second)
                .ToArray();
            ChiSquare.AssertFits([.. Enumerable.Range(1, 3).Select(to => next.Count(token => token == to))],
                [.. Enumerable.Range(1, 3).Select(to => probabilities[from, to] / (1 - probabilities[from, 0]))]);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    public void With_the_cache_and_without_it_the_tokens_are_the_same(int? maxLength)
    {
        foreach (var prompt in (string[])["a", "hgfedcbahgfedcba"])
        {
            var model = new HistoryModel(9, maxLength);
            var generator = new TextGenerator(model, CharacterText.Fit(Letters));
            var options = new GenerationOptions { MaxTokens = 50, Seed = 4 };
            var with = string.Concat(generator.Generate(prompt, options));
            Assert.All(model.Calls, call => Assert.True(call.HasState));
            model.Calls.Clear();
            var without = string.Concat(generator.Generate(prompt, options with { UsesCache = false }));
            Assert.All(model.Calls, call => Assert.False(call.HasState));
            Assert.Equal((50, without), (with.Length, with));
        }
    }

    [Fact]
    public void A_window_that_is_full_keeps_its_later_half()
    {
        var model = new HistoryModel(9, 8);
        var generator = new TextGenerator(model, CharacterText.Fit(Letters));
        _ = generator.GenerateTokens("abcdef", new() { MaxTokens = 8 }).Count();
        // 6 of the prompt, then one by one up to 8; the ninth goes into a new window of 4.
        Assert.Equal([6, 1, 1, 4, 1, 1, 1, 1], model.Calls.Select(call => call.Count));
        model.Calls.Clear();
        _ = generator.GenerateTokens("abcdef", new() { MaxTokens = 8, UsesCache = false }).Count();
        Assert.Equal([6, 7, 8, 4, 5, 6, 7, 8], model.Calls.Select(call => call.Count));
        // Of a longer prompt the model sees the last tokens: the beginning does not matter.
        var options = new GenerationOptions { MaxTokens = 20 };
        Assert.Equal(generator.Generate("bcdefgha", options), generator.Generate("ahhhbcdefgha", options));
        Assert.NotEqual(generator.Generate("bcdefgha", options), generator.Generate("bcdefghb", options));
    }

    [Fact]
    public void Room_for_tokens_grows_with_them()
    {
        var model = new HistoryModel(9, null);
        var generator = new TextGenerator(model, CharacterText.Fit(Letters));
        Assert.Equal(5000, generator.GenerateTokens("abc", new() { MaxTokens = int.MaxValue }).Take(5000).Count());
        // What is beyond the first 4096 is computed again, once.
        Assert.Equal([(0, 3), (4094, 4097)], model.Calls.Index().Where(call => call.Item.Count > 1)
            .Select(call => (call.Index, call.Item.Count)));
        Assert.True(model.Capacities.SequenceEqual([4096, 8194]), string.Join(", ", model.Capacities));
    }

    [Fact]
    public void The_model_keeps_its_mode_and_has_no_graph()
    {
        var model = new HistoryModel(9, null).Train();
        foreach (var _ in new TextGenerator(model, CharacterText.Fit(Letters)).Generate("a", new() { MaxTokens = 3 }))
            Assert.True(model.IsTraining);
        Assert.True(model.OutputWeight.RequiresGrad);
    }

    [Fact]
    public void An_empty_prompt_is_a_line_break()
    {
        var text = CharacterText.Fit("\nab");
        var generator = new TextGenerator(new HistoryModel(4, null), text);
        Assert.Equal(generator.Generate("\n"), generator.Generate(""));
        Assert.Equal("TextGenerator: a prompt of one character or more is needed: found none, and the model did not "
            + "learn a line break to begin with",
            Assert.Throws<AdjointException>(
                () => new TextGenerator(new HistoryModel(9, null), CharacterText.Fit(Letters)).Generate("")).Message);
    }

    [Fact]
    public void Characters_that_were_not_learned_are_told()
    {
        var text = CharacterText.Fit(Letters);
        var generator = new TextGenerator(new HistoryModel(9, null), text);
        Assert.Equal("é😀", string.Concat(generator.Unknown("aé😀bé")));
        Assert.Equal(generator.Generate("a?"), generator.Generate("aé"));
        Assert.Empty(new TextGenerator(new HistoryModel(256, null), new ByteText()).Unknown("aé😀\0"));
    }

    [Fact]
    public void It_stops_at_a_text_which_is_not_given_out()
    {
        Assert.Equal(["a", "b", "c"], Stream("abcdefgh", ["de"]));
        // What may be the beginning is held back until it is known not to be.
        Assert.Equal(["a", "", "bc", "d"], Pieces("abcd", ["bd"]));
        Assert.Equal(["a", "", "", "ba"], Pieces("abab", ["bac"]));
        Assert.Equal(["", "a", "", "", ""], Pieces("aabac", ["abac"]));
        Assert.Equal("aab", string.Concat(Stream("aababac", ["abac", "x"])));
        Assert.Equal("", string.Concat(Stream("abc", ["a", "c"])));
        Assert.Equal("abcdefgh", string.Concat(Stream("abcdefgh", ["hh"])));
    }

    [Fact]
    public void It_stops_at_a_token()
    {
        var generator = Reciting("abcdefgh");
        var tokens = generator.GenerateTokens("h", new() { StopTokens = [4] }).ToArray();
        Assert.Equal([1, 2, 3, 4], tokens.Select(one => one.Token));
        Assert.Equal("abc", string.Concat(tokens.Select(one => one.Text)));
        // What was held back comes with it.
        tokens = [.. generator.GenerateTokens("h", new() { StopTokens = [4], Stop = ["bcx"] })];
        Assert.Equal(["a", "", "", "bc"], tokens.Select(one => one.Text));
        Assert.Empty(generator.GenerateTokens("h", new() { MaxTokens = 0 }));
    }

    [Fact]
    public void Texts_are_of_whole_characters()
    {
        var generator = Reciting("né😀!", new ByteText());
        var tokens = generator.GenerateTokens("!", new() { MaxTokens = 8 }).Select(one => one.Text);
        Assert.Equal(["n", "", "é", "", "", "", "😀", "!"], tokens);
        // The last one is not finished: what there is of it is not given out.
        Assert.Equal(["n", "é"], generator.Generate("!", new() { MaxTokens = 6 }));
        Assert.Equal(["né"], generator.Generate("!", new() { MaxTokens = 5, Stop = ["né😀"] }));
    }

    [Fact]
    public void Random_bytes_stream_as_the_text_that_they_are()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        // Bytes of every kind: of one, two, three and four in a character, and those that none has.
        byte[] kinds = [0x41, 0x80, 0xA9, 0xC3, 0xE2, 0x82, 0xED, 0xA0, 0xF0, 0x9F, 0x98, 0xF4, 0xFF, 0xC0];
        var text = new ByteText();
        for (var run = 0; run < 500; run++)
        {
            int[] tokens = [.. Enumerable.Range(0, 20).Select(_ => (int)kinds[random.Next(kinds.Length)]), 0x41];
            var (decoder, stream) = (Encoding.UTF8.GetDecoder(), new TextStream(text, []));
            var all = "";
            foreach (var token in tokens)
            {
                // The runtime's own decoder says what can be given out after each byte.
                var letters = new char[4];
                var count = decoder.GetChars([(byte)token], 0, 1, letters, 0);
                var piece = stream.Add(token);
                Assert.Equal(new string(letters, 0, count), piece);
                all += piece;
            }
            Assert.Equal(text.Decode(tokens), all);
        }
    }

    [Fact]
    public void Tokens_of_other_encodings_wait_for_their_characters()
    {
        TextStream stream = new(new Pairs(), []);
        // Two bytes in a token: n and half of é, its other half and !, half of 😀, the other.
        Assert.Equal(["", "né!", "", "😀"],
            ((int[])[0x6EC3, 0xA921, 0xF09F, 0x9880]).Select(token => stream.Add(token)));
        // What is no character is not waited for without end.
        Assert.Equal(["", "", "", "", "����������"],
            Enumerable.Repeat(0xFFFF, 5).Select(token => stream.Add(token)));
    }

    [Fact]
    public void It_ends_where_it_is_canceled()
    {
        using var source = new CancellationTokenSource();
        var count = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var _ in Reciting("abc").GenerateTokens("a", cancellation: source.Token))
                if (++count == 5) source.Cancel();
        });
        Assert.Equal(5, count);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Refuses("the model must have an output for each of the 9 tokens of 'text-characters': found 8; give it the "
            + "preprocessing of its training data",
            () => new TextGenerator(new HistoryModel(8, null), CharacterText.Fit(Letters)));
        var generator = Reciting("abc");
        Refuses("the most tokens to generate must be 0 or more: found -1",
            () => generator.Generate("a", new() { MaxTokens = -1 }));
        Refuses("a text to stop at must be one or more whole characters: found none",
            () => generator.Generate("a", new() { Stop = [""] }));
        Refuses("a text to stop at must be one or more whole characters: found half of a surrogate pair",
            () => generator.Generate("a", new() { Stop = ["\uDE00"] }));
        Refuses("there is no token 9 to stop at; use 0..8",
            () => generator.GenerateTokens("a", new() { StopTokens = [9] }));
        Assert.Throws<AdjointException>(() => generator.Generate("a", new() { Temperature = -1 }));
        Assert.Single(generator.Generate("a", new() { Stop = ["\uFFFD"], MaxTokens = 1 }));
    }

    private static void Refuses(string message, Func<object> call) =>
        Assert.Equal($"TextGenerator: {message}", Assert.Throws<AdjointException>(call).Message);

    private static string[] Stream(string recited, string[] stop) =>
        [.. Reciting(recited).Generate(recited[^1..], new() { MaxTokens = recited.Length, Stop = stop })];

    private static string[] Pieces(string recited, string[] stop)
    {
        var stream = new TextStream(CharacterText.Fit(Letters), stop);
        return [.. recited.Select(letter => stream.Add(letter - 'a' + 1))];
    }

    private static TextGenerator Reciting(string recited, TextPreprocessing? preprocessing = null)
    {
        var text = preprocessing ?? CharacterText.Fit(Letters);
        return new(new RecitingModel(text.Encode(recited), text.Size), text);
    }

    /// <summary>Says the same tokens again and again, whatever the prompt of one token.</summary>
    private sealed class RecitingModel : LanguageModel
    {
        private readonly int[] recited;
        private readonly Tensor identity;

        internal RecitingModel(int[] recited, int vocabulary)
        {
            (this.recited, VocabularySize) = (recited, vocabulary);
            (identity, OutputWeight) = (Tensor.Eye(vocabulary), Tensor.Eye(vocabulary) * 100);
        }

        public override int VocabularySize { get; }

        public override int? MaxLength => null;

        public override Tensor OutputWeight { get; }

        public override DecodingState CreateState(int batch, int capacity) => new Seen(batch);

        protected override Tensor HiddenCore(Tensor tokens, DecodingState? state) => identity.Embedding(
            Tensor.From([.. Enumerable.Range(state?.Length ?? 0, tokens.Shape[1])
                .Select(place => (long)recited[place % recited.Length])], 1, tokens.Shape[1]));
    }

    private sealed class Seen(int batch) : DecodingState(batch);

    /// <summary>Two bytes in a token; how much of them is complete is not said.</summary>
    private sealed class Pairs : TextPreprocessing
    {
        public override string Kind => "pairs";

        public override int Size => 65536;

        public override int[] Encode(string text) => throw new NotSupportedException();

        public override string Decode(ReadOnlySpan<int> tokens) => Encoding.UTF8.GetString(
            [.. tokens.ToArray().SelectMany(token => (byte[])[(byte)(token >> 8), (byte)token])]);

        public override void Write(System.Text.Json.Utf8JsonWriter json) { }
    }
}
