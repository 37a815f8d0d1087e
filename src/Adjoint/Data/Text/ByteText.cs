using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Adjoint.Data;

/// <summary>The bytes of a text in UTF-8 as its tokens: 256, whatever the language, and none is unknown.</summary>
public sealed class ByteText : TextPreprocessing
{
    /// <inheritdoc/>
    public override string Kind => "text-bytes";

    /// <inheritdoc/>
    public override int Size => 256;

    /// <inheritdoc/>
    public override int[] Encode(string text) => Array.ConvertAll(Encoding.UTF8.GetBytes(text), value => (int)value);

    /// <summary>The text of bytes; what is no UTF-8 becomes U+FFFD (�).</summary>
    /// <param name="tokens">The bytes, each from 0 to 255.</param>
    /// <returns>The text that they stand for.</returns>
    /// <exception cref="AdjointException">A number is no byte.</exception>
    public override string Decode(ReadOnlySpan<int> tokens)
    {
        RequireTokens(tokens);
        return Encoding.UTF8.GetString(Array.ConvertAll(tokens.ToArray(), token => (byte)token));
    }

    /// <inheritdoc/>
    public override int CompleteCount(ReadOnlySpan<int> tokens)
    {
        RequireTokens(tokens);
        // An unfinished character has at most three bytes.
        for (var length = 1; length <= Math.Min(3, tokens.Length); length++)
        {
            byte[] tail = [.. tokens[^length..].ToArray().Select(token => (byte)token)];
            if (Rune.DecodeFromUtf8(tail, out _, out _) == OperationStatus.NeedMoreData) return tokens.Length - length;
        }
        return tokens.Length;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter json) { }

    internal static ByteText Parse(JsonElement json) => new();
}
