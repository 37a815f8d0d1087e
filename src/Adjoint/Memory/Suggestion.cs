namespace Adjoint;

/// <summary>The nearest valid name for one that is misspelled, as messages suggest it.</summary>
public static class Suggestion
{
    /// <summary>Suggests the valid name that is nearest to a misspelled one.</summary>
    /// <param name="word">The name that is not valid.</param>
    /// <param name="valid">The valid names.</param>
    /// <returns><c>; did you mean 'relu'?</c>, or an empty text when no valid name is near.</returns>
    public static string For(string word, IEnumerable<string> valid) =>
        Nearest(word, valid) is { } nearest ? $"; did you mean '{nearest}'?" : "";

    /// <summary>
    /// The valid name that is nearest to a misspelled one: the fewest letters inserted, deleted and replaced
    /// (Levenshtein 1966), at most a third of it. Of names with dots, where none is as near, the one that ends as it
    /// does, in two parts or more: <c>conv1.weight</c> for <c>module.conv1.weight</c>.
    /// </summary>
    /// <param name="word">The name that is not valid.</param>
    /// <param name="valid">The valid names.</param>
    /// <returns>One of the valid names; null where none is near.</returns>
    public static string? Nearest(string word, IEnumerable<string> valid)
    {
        var (nearest, fewest) = ((string?)null, int.MaxValue);
        var (ending, most) = ((string?)null, 1);
        foreach (var candidate in valid)
        {
            var limit = Math.Min(Tolerance(candidate), fewest - 1);
            if (EditDistance(word, candidate, limit) is var distance && distance <= limit)
                (nearest, fewest) = (candidate, distance);
            else if (nearest is null && CommonEnd(word, candidate) is var parts && parts > most)
                (ending, most) = (candidate, parts);
        }
        return nearest ?? ending;

        // Two letters, or a third of a long word; never all of a short one.
        static int Tolerance(string candidate) => Math.Min(candidate.Length - 1, Math.Max(2, candidate.Length / 3));
    }

    // How many parts between dots, from the last, are the same.
    private static int CommonEnd(string a, string b)
    {
        var parts = 0;
        for (var at = 1; ; at++)
        {
            var (isEndOfA, isEndOfB) = (at > a.Length || a[^at] == '.', at > b.Length || b[^at] == '.');
            if (isEndOfA && isEndOfB) parts++;
            if (at > a.Length || at > b.Length || a[^at] != b[^at]) return parts;
        }
    }

    // Above the limit any number above it: the distance is at least the difference in length, and at least the smallest
    // number of each row, so that names that are far away cost little.
    private static int EditDistance(string a, string b, int limit)
    {
        if (Math.Abs(a.Length - b.Length) > limit) return int.MaxValue;
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            var smallest = row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, replaced));
                smallest = Math.Min(smallest, row[j]);
            }
            if (smallest > limit) return int.MaxValue;
        }
        return row[^1];
    }
}
