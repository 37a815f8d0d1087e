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
internal sealed record LocatedJson(JsonTokenType Kind, string Text, IReadOnlyList<(string Name, string Place, LocatedJson Value)> Members, IReadOnlyList<LocatedJson> Items, string Place)
{
    internal static LocatedJson Parse(string file, byte[] bytes)
    {
        if (bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        var places = new Places(file, bytes);
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            reader.Read();
            var value = Read(ref reader, places);
            while (reader.Read()) { }
            return value;
        }
        catch (JsonException error)
        {
            throw new ExperimentFormatException($"{file}:{error.LineNumber + 1}:{error.BytePositionInLine + 1}", error.Message.Split(". LineNumber:")[0].Split(" LineNumber:")[0].TrimEnd('.'));
        }
    }

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

/// <summary>An experiment file is not what it should be: names file, line and column.</summary>
public sealed class ExperimentFormatException(string place, string problem)
    : AdjointException($"{place}: {DataFormatException.Shorten(problem)}");
