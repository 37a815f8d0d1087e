using System.Text;
using System.Text.Json;

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
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            reader.Read();
            var value = Read(ref reader, file, bytes);
            while (reader.Read()) { }
            return value;
        }
        catch (JsonException error)
        {
            throw new ExperimentFormatException($"{file}:{error.LineNumber + 1}:{error.BytePositionInLine + 1}", error.Message.Split(". LineNumber:")[0].Split(" LineNumber:")[0].TrimEnd('.'));
        }
    }

    private static LocatedJson Read(ref Utf8JsonReader reader, string file, byte[] bytes)
    {
        var (kind, place) = (reader.TokenType, PlaceOf(file, bytes, reader.TokenStartIndex));
        if (kind == JsonTokenType.StartArray)
        {
            var items = new List<LocatedJson>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(Read(ref reader, file, bytes));
            return new(kind, "an array", [], items, place);
        }
        if (kind != JsonTokenType.StartObject)
            return new(kind, kind == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan), [], [], place);
        var members = new List<(string, string, LocatedJson)>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var (name, at) = (reader.GetString()!, PlaceOf(file, bytes, reader.TokenStartIndex));
            reader.Read();
            if (members.Any(member => member.Item1 == name)) throw new ExperimentFormatException(at, $"'{name}' is there twice; remove one");
            members.Add((name, at, Read(ref reader, file, bytes)));
        }
        return new(kind, "an object", members, [], place);
    }

    private static string PlaceOf(string file, byte[] bytes, long at)
    {
        var before = bytes.AsSpan(0, (int)at);
        var lineStart = before.LastIndexOf((byte)'\n') + 1;
        return $"{file}:{before.Count((byte)'\n') + 1}:{Encoding.UTF8.GetCharCount(before[lineStart..]) + 1}";
    }
}

/// <summary>An experiment file is not what it should be: names file, line and column.</summary>
public sealed class ExperimentFormatException(string place, string problem) : AdjointException($"{place}: {problem}");
