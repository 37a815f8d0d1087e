using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Data;
using Adjoint.Formats;

namespace Adjoint.Tests.Formats;

/// <summary>Byte-pair encoding against its definition, on a vocabulary made up here.</summary>
public sealed partial class BpeTextTests : IDisposable
{
    private static readonly string[] Merges =
        ["t h", "th e", "\u0120 the", "i n", "in g", "\u0120 t", "a n", "an d", "\u0120 and", "Ã ©", "e r", "l l"];

    private static readonly string[] Vocabulary =
    [
        .. Enumerable.Range(0, 256).Select(Symbol),
        .. Merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)), "<|endoftext|>",
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Encodes_by_the_definition_and_decodes_to_the_same_text()
    {
        var text = Load();
        Assert.Equal(256 + Merges.Length + 1, text.Size);
        Assert.Equal(["the", "\u0120", "th", "ing"], text.Encode("the thing").Select(token => text.Tokens[token]));
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] words =
            ["the", " the", " and", "thing", "é", "😀", "\n", "  ", "\t", "don't", "42", "!?", "\0", "caller", "ther"];
        for (var run = 0; run < 300; run++)
        {
            var sample = string.Concat(
                Enumerable.Range(0, random.Next(12)).Select(_ => words[random.Next(words.Length)]));
            var tokens = text.Encode(sample);
            Assert.Equal(Reference(sample), tokens.Select(token => text.Tokens[token]));
            Assert.Equal(sample, text.Decode(tokens));
        }
    }

    [Fact]
    public void Special_tokens_are_never_made_from_a_text()
    {
        var text = Load();
        Assert.DoesNotContain(text.Size - 1, text.Encode("a<|endoftext|>b"));
        Assert.Equal("<|endoftext|>", text.Tokens[^1]);
        Assert.Contains($"text-bpe: there is no token {text.Size}; use 0..{text.Size - 1}",
            Assert.Throws<AdjointException>(() => text.Decode([text.Size])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_read_as_it_was_written_and_makes_windows()
    {
        BpeText.Register();
        var text = Load();
        var read = Assert.IsType<BpeText>(Preprocessing.Read(Adjoint.Tests.Data.TextDatasetTests.Json(text)));
        Assert.Equal(text.Encode("the thing and all"), read.Encode("the thing and all"));
        var data = new TextDataset("t", ["the thing and all the things"], read, 4, 1);
        Assert.Equal(text.Encode("the thing and all the things")[..4].Select(token => (long)token),
            data[0]["inputs"].ToArray<long>());
        Assert.Same(read, data.Preprocessing);
    }

    [Theory]
    [InlineData("t", "found 't', expected two tokens and a space between")]
    [InlineData("t h e", "found 't h e', expected two tokens")]
    [InlineData("t ", "found 't ', expected two tokens")]
    [InlineData("q q", "found the merge 'q q', expected tokens: 'qq' is none")]
    [InlineData("qq q", "found the merge 'qq q', expected tokens: 'qq' is none")]
    public void A_merge_of_unknown_tokens_is_named_by_its_line(string merge, string message)
    {
        var error = Assert.Throws<DataFormatException>(() => Load(merges: $"#version: 0.2\nt h\n{merge}\n"));
        Assert.Contains($"merges.txt, line 3: {message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_with_gaps_or_without_bytes_is_refused()
    {
        string Fails(string vocabulary) =>
            Assert.Throws<DataFormatException>(() => Load(vocabulary, "t h\n")).Message;
        Assert.Contains("the 2 tokens must have the numbers 0..1, each once: found 2 for 'b'",
            Fails("""{"a":0,"b":2}"""), StringComparison.Ordinal);
        Assert.Contains("each once: found 0 for 'b'", Fails("""{"a":0,"b":0}"""), StringComparison.Ordinal);
        Assert.Contains("byte 0x00 has no token", Fails("""{"a":0}"""), StringComparison.Ordinal);
        Assert.Contains("vocab.json, offset 0: found what does not parse", Fails("[]"), StringComparison.Ordinal);
        Assert.Contains("does not parse", Fails("""{"a":"x"}"""), StringComparison.Ordinal);
        BpeText.Register();
        foreach (var tokens in (string[])["""["a","a"]""", """["a"]""", "[null]"])
        {
            using var document = JsonDocument.Parse($$"""{"kind":"text-bpe","tokens":{{tokens}},"merges":[]}""");
            Assert.Throws<FormatException>(() => Preprocessing.Read(document.RootElement));
        }
    }

    private BpeText Load(string? vocabulary = null, string? merges = null)
    {
        var (first, second) = (Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        File.WriteAllText(first, vocabulary
            ?? JsonSerializer.Serialize(Vocabulary.Index().ToDictionary(one => one.Item, one => one.Index)));
        File.WriteAllText(second, merges ?? "#version: 0.2\n" + string.Join("\r\n", Merges) + "\r\n");
        return BpeText.Load(first, second);
    }

    // As long as two neighbors are a merge, those of the first such merge become one, from left to right.
    private static IEnumerable<string> Reference(string text)
    {
        foreach (Match word in Word().Matches(text))
        {
            var parts = Encoding.UTF8.GetBytes(word.Value).Select(value => Symbol(value)).ToList();
            while (true)
            {
                var rank = Enumerable.Range(0, Math.Max(0, parts.Count - 1))
                    .Select(i => Array.IndexOf(Merges, $"{parts[i]} {parts[i + 1]}")).Where(rank => rank >= 0)
                    .DefaultIfEmpty(-1).Min();
                if (rank < 0) break;
                for (var i = 0; i + 1 < parts.Count; i++)
                    if (Merges[rank] == $"{parts[i]} {parts[i + 1]}")
                    {
                        parts[i] += parts[i + 1];
                        parts.RemoveAt(i + 1);
                    }
            }
            foreach (var part in parts) yield return part;
        }
    }

    // Printable bytes of Latin-1 for themselves; the n-th of the others is U+0100 + n.
    private static string Symbol(int value)
    {
        bool Prints(int one) => one is > 32 and < 127 or > 160 and not 173;
        return ((char)(Prints(value) ? value : 256 + Enumerable.Range(0, value).Count(one => !Prints(one)))).ToString();
    }

    // The pattern of Radford et al.
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Word();
}
