using System.Text;
using System.Text.Json;

namespace Adjoint.Data;

/// <summary>
/// The characters of a text (Unicode scalar values) as its tokens: those of the training texts, in the order of their
/// numbers, from token 1 on. Token 0 is any other character.
/// </summary>
public sealed class CharacterText : TextPreprocessing
{
    private readonly Rune[] characters;
    private readonly Dictionary<Rune, int> tokens;

    private CharacterText(Rune[] characters)
    {
        this.characters = characters;
        tokens = characters.Index().ToDictionary(one => one.Item, one => one.Index + 1);
    }

    /// <inheritdoc/>
    public override string Kind => "text-characters";

    /// <inheritdoc/>
    public override int Size => characters.Length + 1;

    /// <inheritdoc/>
    public override int? UnknownToken => 0;

    /// <summary>The characters that are known, in the order of their tokens, from token 1 on.</summary>
    public string Characters => string.Concat(characters);

    /// <summary>Collects the characters of texts.</summary>
    /// <param name="texts">The training texts, and no others: what stands only elsewhere was not learned.</param>
    /// <returns>The encoding with a token for each character.</returns>
    public static CharacterText Fit(params IEnumerable<string> texts) =>
        new([.. texts.SelectMany(text => text.EnumerateRunes()).Distinct().Order()]);

    /// <inheritdoc/>
    public override int[] Encode(string text) =>
        [.. text.EnumerateRunes().Select(one => tokens.GetValueOrDefault(one))];

    /// <summary>The text of characters; token 0 becomes U+FFFD (�).</summary>
    /// <param name="tokens">The tokens, each below <see cref="Size"/>.</param>
    /// <returns>The text that they stand for.</returns>
    /// <exception cref="AdjointException">There is no such token.</exception>
    public override string Decode(ReadOnlySpan<int> tokens)
    {
        RequireTokens(tokens);
        var text = new StringBuilder(tokens.Length);
        foreach (var token in tokens)
            text.Append((token == 0 ? Rune.ReplacementChar : characters[token - 1]).ToString());
        return text.ToString();
    }

    /// <inheritdoc/>
    public override int CompleteCount(ReadOnlySpan<int> tokens) => tokens.Length;

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter json) => json.WriteString("characters", Characters);

    internal static CharacterText Parse(JsonElement json)
    {
        var text = json.TryGetProperty("characters", out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException("text-characters must have the text 'characters'");
        // Fit orders them, so a repeated one stands beside itself, and there are no more than Unicode has.
        Rune[] characters = [.. text.EnumerateRunes()];
        for (var i = 1; i < characters.Length; i++)
            if (characters[i] <= characters[i - 1])
                throw new FormatException(
                    $"the characters of text-characters must ascend: U+{characters[i].Value:X4} follows "
                    + $"U+{characters[i - 1].Value:X4}");
        return new(characters);
    }
}
