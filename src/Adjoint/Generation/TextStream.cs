using System.Runtime.InteropServices;
using Adjoint.Data;

namespace Adjoint.Generation;

/// <summary>
/// The text of tokens that come one by one: whole characters, up to the first text to stop at. What may be the
/// beginning of one is held back.
/// </summary>
internal sealed class TextStream(TextPreprocessing preprocessing, IReadOnlyList<string> stops)
{
    private readonly List<int> unfinished = [];
    private string held = "";

    /// <summary>Whether a text to stop at has come.</summary>
    internal bool IsStopped { get; private set; }

    /// <summary>Adds a token; returns what can be given out.</summary>
    internal string Add(int token)
    {
        unfinished.Add(token);
        var tokens = CollectionsMarshal.AsSpan(unfinished);
        var complete = preprocessing.CompleteCount(tokens);
        held += preprocessing.Decode(tokens[..complete]);
        unfinished.RemoveRange(0, complete);
        var stop = stops.Select(text => held.IndexOf(text, StringComparison.Ordinal)).Where(at => at >= 0)
            .DefaultIfEmpty(-1).Min();
        IsStopped = stop >= 0;
        return Take(IsStopped ? stop : held.Length - stops.Select(Begun).DefaultIfEmpty(0).Max());
    }

    /// <summary>What was held back, where nothing comes after; not a part of a character.</summary>
    internal string End() => IsStopped ? "" : Take(held.Length);

    // How much of a text to stop at stands at the end.
    private int Begun(string stop)
    {
        for (var length = Math.Min(held.Length, stop.Length - 1); length > 0; length--)
            if (held.AsSpan(held.Length - length).SequenceEqual(stop.AsSpan(0, length))) return length;
        return 0;
    }

    private string Take(int length)
    {
        var text = held[..length];
        held = held[length..];
        return text;
    }
}
