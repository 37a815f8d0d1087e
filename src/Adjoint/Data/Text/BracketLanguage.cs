using System.Runtime.InteropServices;

namespace Adjoint.Data;

/// <summary>
/// Nested brackets of several kinds (the Dyck language, bounded): <c>[()&lt;{}&gt;]</c>. A string is one pair of
/// brackets with any number of pairs in it, nested at most so deep, and has at most so many symbols. What comes next is
/// determined where no bracket can be opened anymore, because the deepest level is reached, or because the symbols that
/// are left are just enough to close those that are open: then it is the mate of the innermost one; and where the
/// outermost one has closed: then it is the end. So it takes a memory of all open brackets, in their order.
/// </summary>
public sealed class BracketLanguage : FormalLanguage
{
    private const string Open = "([{<", Closed = ")]}>";

    // Above 1/2 nesting grows, so that most strings are as long as they may be; not so far above that mates, which a
    // model can know, would come less often than each kind of opening bracket.
    private const double OpenProbability = 0.6;

    private readonly int depth;
    private readonly int length;

    /// <summary>Creates a language.</summary>
    /// <param name="kinds">The number of kinds of brackets, 1 to 4: (), [], {}, &lt;&gt;.</param>
    /// <param name="depth">How many brackets are open at once at most, 1 or more.</param>
    /// <param name="length">The number of symbols of a string at most, 2 or more.</param>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    public BracketLanguage(int kinds = 4, int depth = 6, int length = 24)
        : base("brackets", Open[..Require(kinds, depth, length)] + Closed[..kinds]) =>
        (this.depth, this.length) = (depth, length);

    /// <inheritdoc/>
    public override string Next(ReadOnlySpan<char> prefix)
    {
        var (kinds, mates) = (Symbols.Length / 2, new Stack<char>());
        for (var i = 0; i < prefix.Length; i++)
        {
            var kind = Symbols.IndexOf(prefix[i], StringComparison.Ordinal);
            var isOpen = kind >= 0 && kind < kinds;
            if (isOpen ? !CanOpen(i) : !mates.TryPop(out var mate) || mate != prefix[i]) return "";
            if (isOpen) mates.Push(Symbols[kinds + kind]);
            else if (mates.Count == 0 && i < prefix.Length - 1) return "";
        }
        var open = CanOpen(prefix.Length) ? Symbols[..kinds] : "";
        return mates.Count > 0 ? mates.Peek() + open : prefix.IsEmpty ? open : $"{End}";

        // A bracket after so many symbols must find room for its mate, and for those of the others.
        bool CanOpen(int before) => mates.Count < depth && before + 1 + mates.Count + 1 <= length;
    }

    private protected override string Draw(ref SampleRandom random)
    {
        var text = new List<char>();
        while (true)
        {
            var next = Next(CollectionsMarshal.AsSpan(text));
            if (next[0] == End) return string.Concat(text);
            // The mate comes first, unless there is none yet.
            var opens = text.Count == 0 ? next : next[1..];
            text.Add(opens.Length > 0 && (text.Count == 0 || random.Uniform() < OpenProbability)
                ? opens[random.Next(opens.Length)]
                : next[0]);
        }
    }

    private static int Require(int kinds, int depth, int length) =>
        kinds is >= 1 and <= 4 && depth >= 1 && length >= 2
            ? kinds
            : throw new AdjointException(
                $"BracketLanguage: 1 to 4 kinds, a depth from 1 and a length from 2 are needed: found {kinds}, {depth} "
                + $"and {length}");
}
