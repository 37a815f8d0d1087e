using System.Globalization;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Microsoft.ML.Tokenizers;

namespace Adjoint.Formats;

/// <summary>
/// Texts as tokens of byte-level byte-pair encoding (Sennrich, Haddow and Birch 2016; Radford et al. 2019), by
/// <c>Microsoft.ML.Tokenizers</c>, from the two files that GPT-2 and its relatives come with: <c>vocab.json</c>, token
/// → number, and <c>merges.txt</c>, one merge a line. Every text can be encoded, since every byte is a token. Special
/// tokens of the vocabulary, such as <c>&lt;|endoftext|&gt;</c>, have their numbers, and are never made from a text.
/// Both are kept with the model. Safe to use from any number of threads.
/// </summary>
public sealed class BpeText : TextPreprocessing
{
    /// <summary>The name of this kind in model files: <c>text-bpe</c>.</summary>
    public const string KindName = "text-bpe";

    private const int MostTokens = 1 << 20;

    private readonly string[] tokens;
    private readonly string[] merges;
    private readonly BpeTokenizer tokenizer;

    private BpeText(string[] tokens, string[] merges)
    {
        (this.tokens, this.merges) = (tokens, merges);
        tokenizer = BpeTokenizer.Create(new BpeOptions(tokens.Index().Select(one => KeyValuePair.Create(one.Item,
            one.Index)))
        {
            Merges = merges,
            ByteLevel = true,
            PreTokenizer = RobertaPreTokenizer.Instance,
        });
    }

    /// <inheritdoc/>
    public override string Kind => KindName;

    /// <inheritdoc/>
    public override int Size => tokens.Length;

    /// <summary>The tokens in the order of their numbers, in the symbols of the vocabulary: Ġ is a space.</summary>
    public IReadOnlyList<string> Tokens => tokens;

    /// <summary>Makes model files with this encoding readable: call it once, before one is loaded.</summary>
    public static void Register() => Preprocessing.Register(KindName, Parse);

    /// <summary>Reads a vocabulary and its merges.</summary>
    /// <param name="vocabulary">
    /// The path of <c>vocab.json</c>: an object of tokens and their numbers, from 0 on.
    /// </param>
    /// <param name="merges">
    /// The path of <c>merges.txt</c>: two tokens and a space between in each line, the most frequent first.
    /// </param>
    /// <returns>The encoding of these tokens.</returns>
    /// <exception cref="DataFormatException">
    /// A file is damaged, a number is missing, a byte has no token, or a merge is of unknown tokens.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at a path.</exception>
    public static BpeText Load(string vocabulary, string merges)
    {
        var tokens = JsonFile.Read(vocabulary, "a vocabulary, an object of tokens and their numbers", ReadVocabulary);
        string[] lines = [.. TextFile.Read(merges).Split('\n').Select(line => line.TrimEnd('\r'))];
        // The last line ends, or does not; the first tells the version of the format.
        var (first, end) = (lines[0].StartsWith("#version", StringComparison.Ordinal) ? 1 : 0, lines.Length);
        while (end > first && lines[end - 1].Length == 0) end--;
        var known = tokens.ToHashSet();
        for (var i = first; i < end; i++)
            if (Problem(lines[i], known) is { } problem)
                throw new DataFormatException(
                    $"{merges}, line {i + 1}: {DataFormatException.Abbreviate(problem)}; use the merges that belong to "
                    + vocabulary);
        return new(tokens, lines[first..end]);
    }

    /// <inheritdoc/>
    public override int[] Encode(string text) => [.. tokenizer.EncodeToIds(text)];

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD (�).</summary>
    /// <param name="tokens">The tokens, each below <see cref="Size"/>.</param>
    /// <returns>The text that they stand for.</returns>
    /// <exception cref="AdjointException">There is no such token.</exception>
    public override string Decode(ReadOnlySpan<int> tokens)
    {
        RequireTokens(tokens);
        return tokenizer.Decode(tokens.ToArray()) ?? "";
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter json)
    {
        foreach (var (name, values) in ((string, string[])[])[("tokens", tokens), ("merges", merges)])
        {
            json.WriteStartArray(name);
            foreach (var value in values) json.WriteStringValue(value);
            json.WriteEndArray();
        }
    }

    internal static BpeText Parse(JsonElement json)
    {
        string[] Texts(string name) => [.. json.GetProperty(name).EnumerateArray().Select(one => one.GetString()
            ?? throw new FormatException($"'{name}' of {KindName} must be texts"))];
        var (tokens, merges) = (Texts("tokens"), Texts("merges"));
        var known = tokens.ToHashSet();
        if (known.Count < tokens.Length) throw new FormatException($"a token of {KindName} stands there twice");
        RequireBytes(known);
        foreach (var merge in merges)
            if (Problem(merge, known) is { } problem) throw new FormatException($"{KindName}: {problem}");
        return new(tokens, merges);
    }

    private static string[] ReadVocabulary(JsonElement json)
    {
        var tokens = new string?[Math.Min(json.GetPropertyCount(), MostTokens + 1)];
        if (tokens.Length > MostTokens) throw new FormatException($"there are more than {MostTokens} tokens");
        foreach (var entry in json.EnumerateObject())
        {
            var number = entry.Value.GetInt32();
            if ((uint)number >= (uint)tokens.Length || tokens[number] is not null)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture,
                    $"the {tokens.Length} tokens must have the numbers 0..{tokens.Length - 1}, each once: found "
                    + $"{number} for '{entry.Name}'"));
            tokens[number] = entry.Name;
        }
        RequireBytes(tokens.ToHashSet()!);
        return tokens!;
    }

    // Of every byte, so that every text has tokens.
    private static void RequireBytes(HashSet<string> known)
    {
        if (known.Count > MostTokens) throw new FormatException($"there are more than {MostTokens} tokens");
        for (var value = 0; value < 256; value++)
            if (!known.Contains(Symbols[value].ToString()))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture,
                    $"byte 0x{value:x2} has no token '{Symbols[value]}': the vocabulary is none of byte-level BPE"));
    }

    // Radford et al.: bytes that print stand for themselves in Latin-1, the others for U+0100 and on, in their order.
    private static readonly char[] Symbols = ByteSymbols();

    private static char[] ByteSymbols()
    {
        var (symbols, next) = (new char[256], 256);
        for (var value = 0; value < 256; value++)
            symbols[value] = (char)(value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? value : next++);
        return symbols;
    }

    private static string? Problem(string merge, HashSet<string> known)
    {
        var parts = merge.Split(' ');
        if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0)
            return $"found '{merge}', expected two tokens and a space between";
        foreach (var token in (string[])[parts[0], parts[1], parts[0] + parts[1]])
            if (!known.Contains(token)) return $"found the merge '{merge}', expected tokens: '{token}' is none";
        return null;
    }
}
