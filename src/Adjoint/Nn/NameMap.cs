using System.Text;

namespace Adjoint.Nn;

/// <summary>
/// Renames tensors, from the names of a file to those of a model. A rule is a name and its new name, or a pattern: in
/// it <c>*</c> stands for one part between dots or for letters of one (one or more), and <c>**</c> for any number of
/// whole parts. The new name has the same signs, in the same order, and each is replaced by what it stood for. A name
/// is renamed by the first rule that fits, names before patterns; where none fits, it stays.
/// <code>
/// var names = new NameMap().Add("module.fc.*", "head.*").Add("module.**", "**").Add("layer_*.**", "layers.*.**");
/// names.Apply("module.conv1.weight");  // conv1.weight
/// </code>
/// </summary>
public sealed class NameMap
{
    private const int MostParts = 8;
    private readonly Dictionary<string, string> names = [];
    private readonly List<Pattern> patterns = [];

    /// <summary>Adds a rule.</summary>
    /// <param name="from">The name or pattern that fits the old name, such as <c>module.**</c>.</param>
    /// <param name="to">The new name, such as <c>**</c>.</param>
    /// <returns>The map itself, for chaining.</returns>
    /// <exception cref="AdjointException">
    /// One side is empty, the two have other signs or another order of them, <c>**</c> is only a piece of a part, or
    /// there is a rule for this name.
    /// </exception>
    public NameMap Add(string from, string to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        if (from.Length == 0 || to.Length == 0)
            throw new AdjointException(
                $"NameMap: '{from}' = '{to}': a side is empty; write a name or a pattern on both: module.** = **");
        var (old, next) = (Signs(from), Signs(to));
        if (!old.SequenceEqual(next))
            throw new AdjointException(
                $"NameMap: '{from}' = '{to}': both sides must have the same * and ** in the same order: found "
                + $"{List(old)} and {List(next)}; each on the right is replaced by what it stood for on the left");
        if (old.Count > 0) patterns.Add(new(from, to));
        else if (!names.TryAdd(from, to))
            throw new AdjointException(
                $"NameMap: '{from}' is renamed to '{names[from]}' already; leave one of the two rules out");
        return this;

        static string List(List<string> signs) => signs.Count == 0 ? "none" : string.Join(' ', signs);
    }

    /// <summary>Reads rules as command lines have them.</summary>
    /// <param name="rules">Rules of the form <c>old=new</c>, such as <c>module.**=**</c>.</param>
    /// <returns>A map of these rules.</returns>
    /// <exception cref="AdjointException">A rule has no <c>=</c>, or is refused by <see cref="Add"/>.</exception>
    public static NameMap Parse(IEnumerable<string> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var map = new NameMap();
        foreach (var rule in rules)
        {
            var middle = rule.IndexOf('=', StringComparison.Ordinal);
            if (middle < 0)
                throw new AdjointException($"NameMap: '{rule}' has no '='; write OLD=NEW, such as module.**=**");
            map.Add(rule[..middle], rule[(middle + 1)..]);
        }
        return map;
    }

    /// <summary>The new name of a tensor.</summary>
    /// <param name="name">Its old name.</param>
    /// <returns>The new name; the old one where no rule fits.</returns>
    /// <exception cref="AdjointException">Nothing is left of the name.</exception>
    public string Apply(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (names.TryGetValue(name, out var renamed)) return renamed;
        foreach (var pattern in patterns)
            if (pattern.Apply(name) is { } made)
                return made.Length > 0
                    ? made
                    : throw new AdjointException(
                        $"NameMap: {pattern} leaves nothing of the name '{name}'; add a rule for this name");
        return name;
    }

    /// <summary>Renames the tensors of a state.</summary>
    /// <param name="state">Tensors by their old names.</param>
    /// <returns>The same tensors by their new names, in the same order.</returns>
    /// <exception cref="AdjointException">Two tensors get one name, or nothing is left of a name.</exception>
    public IReadOnlyDictionary<string, Tensor> Apply(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Apply(state.Keys).ToDictionary(entry => entry.New, entry => state[entry.Old]);
    }

    /// <summary>Renames the tensors of a state of which only the names are at hand.</summary>
    /// <param name="names">The old names.</param>
    /// <returns>Each old name with its new one, in the same order.</returns>
    /// <exception cref="AdjointException">Two names become one, or nothing is left of one.</exception>
    public IReadOnlyList<(string Old, string New)> Apply(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var (renamed, sources) = (new List<(string, string)>(), new Dictionary<string, string>());
        foreach (var name in names)
        {
            var next = Apply(name);
            if (!sources.TryAdd(next, name))
                throw new AdjointException(
                    $"NameMap: '{sources[next]}' and '{name}' both become '{next}'; rename one of them differently");
            renamed.Add((name, next));
        }
        return renamed;
    }

    /// <summary>Whether a name or pattern, such as <c>encoder.**</c>, fits a name.</summary>
    /// <param name="pattern">The name or pattern, as on the left side of a rule.</param>
    /// <param name="name">The name of a tensor.</param>
    /// <returns>Whether it fits.</returns>
    /// <exception cref="AdjointException"><c>**</c> is only a piece of a part.</exception>
    public static bool Fits(string pattern, string name)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(name);
        Signs(pattern);
        return new Pattern(pattern, pattern).Apply(name) is not null;
    }

    /// <summary>
    /// The rule that makes names fit others by a prefix that it takes away or puts before them, such as
    /// <c>module.**=**</c> for what DataParallel writes.
    /// </summary>
    /// <param name="names">The names to rename.</param>
    /// <param name="wanted">The names that they are to get.</param>
    /// <returns>A rule that <see cref="Parse"/> takes; null where none makes half of the names fit.</returns>
    public static string? Suggest(IReadOnlyCollection<string> names, IReadOnlyCollection<string> wanted)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(wanted);
        var enough = Math.Max(1, Math.Min(names.Count, wanted.Count) / 2);
        return Prefix(names, wanted) is { } taken && taken.Count >= enough ? $"{taken.Prefix}.**=**"
            : Prefix(wanted, names) is { } given && given.Count >= enough ? $"**={given.Prefix}.**"
            : null;
    }

    // The prefix of a few parts without which most of the long names are among the short ones, and of how many.
    private static (string Prefix, int Count)? Prefix(
        IReadOnlyCollection<string> longNames, IReadOnlyCollection<string> shortNames)
    {
        var (all, counts) = (shortNames.ToHashSet(), new Dictionary<string, int>());
        foreach (var name in longNames)
            for (var (dot, parts) = (name.IndexOf('.', StringComparison.Ordinal), 1); dot >= 0 && parts <= MostParts;
                (dot, parts) = (name.IndexOf('.', dot + 1), parts + 1))
                if (all.Contains(name[(dot + 1)..]))
                    counts[name[..dot]] = counts.GetValueOrDefault(name[..dot]) + 1;
        if (counts.Count == 0) return null;
        var most = counts.MaxBy(entry => entry.Value);
        return (most.Key, most.Value);
    }

    // The signs of a side, from left to right.
    private static List<string> Signs(string side)
    {
        var signs = new List<string>();
        foreach (var part in side.Split('.'))
            if (part == "**") signs.Add(part);
            else if (part.Contains("**", StringComparison.Ordinal))
                throw new AdjointException(
                    $"NameMap: '{side}': ** stands for whole parts between dots: found it within '{part}'; use * for a "
                    + "piece of a part");
            else signs.AddRange(Enumerable.Repeat("*", part.Count(letter => letter == '*')));
        return signs;
    }

    // As globs are matched: the shortest piece for each sign but the last of its kind, which takes what is left. Going
    // back to the last sign is enough, so that time is at most proportional to pattern and name.
    private sealed class Pattern(string from, string to)
    {
        private readonly string[] parts = from.Split('.'), made = to.Split('.');

        public override string ToString() => $"{from}={to}";

        // The new name; null where the pattern does not fit.
        internal string? Apply(string name)
        {
            var old = name.Split('.');
            var starts = new int[parts.Length + 1];
            var (at, next, sign, retry) = (0, 0, -1, 0);
            while (next < old.Length)
                if (at < parts.Length && parts[at] == "**")
                    (sign, retry, starts[at]) = (at++, next, next);
                else if (at < parts.Length && FitPart(parts[at], old[next], null))
                    starts[at++] = next++;
                else if (sign >= 0)
                    (at, next) = (sign + 1, ++retry);
                else return null;
            while (at < parts.Length && parts[at] == "**") starts[at++] = next;
            if (at < parts.Length) return null;
            starts[at] = next;
            var pieces = new Queue<string?>();
            for (var i = 0; i < parts.Length; i++)
                if (parts[i] == "**")
                    pieces.Enqueue(starts[i] == starts[i + 1] ? null : string.Join('.', old[starts[i]..starts[i + 1]]));
                else FitPart(parts[i], old[starts[i]], pieces);
            return Fill(pieces);
        }

        private string Fill(Queue<string?> pieces)
        {
            var name = new List<string>();
            foreach (var part in made)
                if (part != "**")
                {
                    var text = new StringBuilder();
                    foreach (var letter in part)
                        if (letter == '*') text.Append(pieces.Dequeue());
                        else text.Append(letter);
                    name.Add(text.ToString());
                }
                else if (pieces.Dequeue() is { } some) name.Add(some);
            return string.Join('.', name);
        }

        private static bool FitPart(string pattern, string part, Queue<string?>? pieces)
        {
            var fixedTexts = pattern.Split('*');
            if (fixedTexts.Length == 1) return pattern == part;
            var (at, end) = (fixedTexts[0].Length, part.Length - fixedTexts[^1].Length);
            if (at >= end || !part.StartsWith(fixedTexts[0], StringComparison.Ordinal)
                || !part.EndsWith(fixedTexts[^1], StringComparison.Ordinal)) return false;
            foreach (var text in fixedTexts.AsSpan(1..^1))
            {
                var found = at + 1 > end ? -1 : part.IndexOf(text, at + 1, end - at - 1, StringComparison.Ordinal);
                if (found < 0) return false;
                pieces?.Enqueue(part[at..found]);
                at = found + text.Length;
            }
            if (at >= end) return false;
            pieces?.Enqueue(part[at..end]);
            return true;
        }
    }
}
