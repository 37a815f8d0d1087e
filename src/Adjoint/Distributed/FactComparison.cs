using System.Text;

namespace Adjoint.Distributed;

/// <summary>What must be alike on all ranks: compares, and says what is not.</summary>
internal static class FactComparison
{
    private const int Longest = 60, Most = 8;

    /// <summary>Names and values as bytes, for the others.</summary>
    public static byte[] ToBytes(IReadOnlyList<(string Name, string Value)> facts)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(facts.Count);
        foreach (var (name, value) in facts)
        {
            writer.Write(name);
            writer.Write(value);
        }
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>What differs from rank 0, in one line; null where all are alike. The same text on all ranks.</summary>
    /// <param name="byRank">The facts of each rank, as bytes.</param>
    /// <param name="name">How a rank is named.</param>
    public static string? Differences(byte[][] byRank, Func<int, string> name)
    {
        var facts = byRank.Select(FromBytes).ToArray();
        string[] found =
        [
            .. from rank in Enumerable.Range(1, facts.Length - 1)
               from fact in facts[0].Select(one => one.Name).Union(facts[rank].Select(one => one.Name))
               let first = ValueOf(facts[0], fact)
               let own = ValueOf(facts[rank], fact)
               where own != first
               let texts = Shortened(own, first)
               select $"{name(rank)}: {fact} is {texts.Own}, and {texts.Other} on {name(0)}",
        ];
        if (found.Length == 0) return null;
        var more = found.Length > Most ? $"; and {found.Length - Most} more" : "";
        return string.Join("; ", found.Take(Most)) + more;
    }

    private static (string Name, string Value)[] FromBytes(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        return [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => (reader.ReadString(), reader.ReadString()))];
    }

    private static string? ValueOf((string Name, string Value)[] facts, string name)
    {
        foreach (var fact in facts)
            if (fact.Name == name) return fact.Value;
        return null;
    }

    // Long values from where they begin to differ.
    private static (string Own, string Other) Shortened(string? own, string? other)
    {
        var same = 0;
        if (own is not null && other is not null && Math.Max(own.Length, other.Length) > Longest)
        {
            same = own.AsSpan().CommonPrefixLength(other);
            same = same < Longest / 2 ? 0 : same - Longest / 4;
        }
        return (From(own), From(other));

        string From(string? text)
        {
            if (text is null) return "not given";
            if (text.Length == 0) return "empty";
            var rest = text[same..];
            return (same > 0 ? "…" : "") + (rest.Length > Longest ? rest[..Longest] + "…" : rest);
        }
    }
}
