using System.Collections.Concurrent;
using System.Text.Json;
using Adjoint.Data.Tables;

namespace Adjoint.Data;

/// <summary>
/// How raw data, such as the columns of a table or the pixels of a photograph, became a data set's tensors. It is kept
/// with the model, so that later data are treated as those that it learned from.
/// </summary>
public abstract class Preprocessing
{
    private static readonly ConcurrentDictionary<string, Func<JsonElement, Preprocessing>> Readers = new()
    {
        ["image"] = ImagePreprocessing.OfJson,
        ["table"] = TableEncoderJson.Read,
        ["text-bytes"] = ByteText.Parse,
        ["text-characters"] = CharacterText.Parse,
    };

    /// <summary>The name of this kind in files, such as <c>table</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>Writes the properties of this preprocessing into the JSON object that is open.</summary>
    /// <param name="json">The writer, inside of an object.</param>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>
    /// Makes a kind known, so that files with it can be read. A kind that is known already is replaced.
    /// </summary>
    /// <param name="kind">The name of the kind.</param>
    /// <param name="read">
    /// Makes one from the JSON object that <see cref="Write"/> wrote; throws <see cref="FormatException"/> with a
    /// reason for what it did not write.
    /// </param>
    public static void Register(string kind, Func<JsonElement, Preprocessing> read) => Readers[kind] = read;

    /// <summary>
    /// Reads what was written as an object with <c>kind</c> and the properties of <see cref="Write"/>.
    /// </summary>
    /// <param name="json">The JSON object.</param>
    /// <returns>The preprocessing of that kind.</returns>
    /// <exception cref="FormatException">It is no such object, or its kind was not registered.</exception>
    public static Preprocessing Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("kind", out var kind)
            || kind.ValueKind != JsonValueKind.String)
            throw new FormatException("preprocessing must be an object with the text 'kind'");
        return Readers.TryGetValue(kind.GetString()!, out var read)
            ? read(json)
            : throw new FormatException(
                $"the preprocessing '{kind.GetString()}' is not known; known: " +
                    $"{string.Join(", ", Readers.Keys.Order())}; "
                + "call Preprocessing.Register for it first");
    }
}
