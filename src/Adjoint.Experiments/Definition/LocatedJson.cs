using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>A JSON value that knows its place in the file, so that an error can name line and column.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Of a string, number, true or false: as a setting is written.</param>
/// <param name="Members">Of an object: names with their places, and values, in order.</param>
/// <param name="Items">Of an array.</param>
/// <param name="Place">The file with line and column, from 1: <c>sweep.json:4:7</c>.</param>
internal sealed record LocatedJson(JsonTokenType Kind, string Text,
    IReadOnlyList<(string Name, string Place, LocatedJson Value)> Members, IReadOnlyList<LocatedJson> Items,
    string Place)
{
    private static readonly JsonReaderOptions Options =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    internal static LocatedJson Parse(string file, byte[] bytes)
    {
        if (bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        var places = new Places(file, bytes);
        try
        {
            var reader = new Utf8JsonReader(bytes, Options);
            reader.Read();
            var value = Read(ref reader, places);
            while (reader.Read()) { }
            return value;
        }
        catch (JsonException error)
        {
            throw new ExperimentFormatException($"{file}:{error.LineNumber + 1}:{error.BytePositionInLine + 1}",
                error.Message.Split(". LineNumber:")[0].Split(" LineNumber:")[0].TrimEnd('.'));
        }
    }

    /// <summary>The member of a name, or null.</summary>
    internal LocatedJson? Get(string name) => Members.FirstOrDefault(member => member.Name == name).Value;

    /// <summary>The member of a name, which must be there.</summary>
    internal LocatedJson Require(string name) => Get(name) ?? throw Refuse($"'{name}' is missing");

    /// <summary>The text, which it must be.</summary>
    /// <param name="name">What the message calls it.</param>
    internal string AsText(string name) =>
        Kind == JsonTokenType.String ? Text : throw Refuse($"'{name}'", "a text in quotes");

    /// <summary>The finite number, which it must be.</summary>
    /// <inheritdoc cref="AsText" path="/param"/>
    internal double AsNumber(string name) =>
        Kind == JsonTokenType.Number && double.TryParse(Text, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) ? number : throw Refuse($"'{name}'", "a number");

    /// <summary>The whole number of a range, which it must be.</summary>
    /// <inheritdoc cref="AsText" path="/param"/>
    internal long AsWhole(string name, long least, long most) =>
        IsWhole(out var number) && number >= least && number <= most
            ? number : throw Refuse($"'{name}'", $"a whole number from {least} to {most}");

    /// <summary>Whether it is a number of digits only.</summary>
    internal bool IsWhole(out long number)
    {
        number = 0;
        return Kind == JsonTokenType.Number
            && long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Refuses what is not an object or an array, as it must be.</summary>
    internal void Expect(JsonTokenType kind, string what)
    {
        if (Kind != kind) throw Refuse(what, kind == JsonTokenType.StartArray ? "an array" : "an object");
    }

    /// <summary>Refuses members of other names.</summary>
    internal void ExpectKeys(IReadOnlyList<string> keys)
    {
        foreach (var (name, place, _) in Members)
            if (!keys.Contains(name))
                throw new ExperimentFormatException(place,
                    $"unknown key '{name}'{Suggestion.For(name, keys)}; valid are {string.Join(", ", keys)}");
    }

    /// <summary>The error of a value that is not what it must be.</summary>
    internal ExperimentFormatException Refuse(string what, string expected) =>
        Refuse($"{what} must be {expected}: found {(Kind == JsonTokenType.String ? $"\"{Text}\"" : Text)}");

    /// <summary>The error of a problem with this value.</summary>
    internal ExperimentFormatException Refuse(string problem) => new(Place, problem);

    private static LocatedJson Read(ref Utf8JsonReader reader, Places places)
    {
        var (kind, place) = (reader.TokenType, places.Of(reader.TokenStartIndex));
        if (kind == JsonTokenType.StartArray)
        {
            var items = new List<LocatedJson>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(Read(ref reader, places));
            return new(kind, "an array", [], items, place);
        }
        if (kind != JsonTokenType.StartObject)
            return new(kind, kind == JsonTokenType.String ? TextOf(ref reader, place)
                : Encoding.UTF8.GetString(reader.ValueSpan), [], [], place);
        var members = new List<(string, string, LocatedJson)>();
        var names = new HashSet<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var at = places.Of(reader.TokenStartIndex);
            var name = TextOf(ref reader, at);
            reader.Read();
            if (!names.Add(name)) throw new ExperimentFormatException(at, $"'{name}' is there twice; remove one");
            members.Add((name, at, Read(ref reader, places)));
        }
        return new(kind, "an object", members, [], place);
    }

    private static string TextOf(ref Utf8JsonReader reader, string place)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ExperimentFormatException(place,
                "a text that is no valid Unicode: bytes that are no UTF-8, or half a surrogate pair; save the file "
                + "as UTF-8");
        }
    }

    // Tokens come in order, so each byte is looked at once.
    private sealed class Places(string file, byte[] bytes)
    {
        private int line = 1, column = 1, seen;

        internal string Of(long at)
        {
            var next = bytes.AsSpan(seen, (int)at - seen);
            seen = (int)at;
            if (next.LastIndexOf((byte)'\n') is >= 0 and var newline)
            {
                line += next.Count((byte)'\n');
                column = 1;
                next = next[(newline + 1)..];
            }
            column += Encoding.UTF8.GetCharCount(next);
            return $"{file}:{line}:{column}";
        }
    }
}
