namespace Adjoint.Experiments;

/// <summary>The nearest valid word for one that is misspelled.</summary>
public static class Suggestion
{
    /// <summary>Suggests the valid word that is nearest to a misspelled one.</summary>
    /// <param name="word">The word that is not valid.</param>
    /// <param name="valid">The valid words.</param>
    /// <returns><c>; did you mean 'relu'?</c>, or an empty text when no valid word is near.</returns>
    public static string For(string word, IEnumerable<string> valid)
    {
        // The distance is at least the difference in length: a long word costs nothing.
        var nearest = valid.Where(candidate => Math.Abs(word.Length - candidate.Length) <= Tolerance(candidate))
            .MinBy(candidate => EditDistance(word, candidate));
        return nearest is not null && EditDistance(word, nearest) <= Tolerance(nearest)
            ? $"; did you mean '{nearest}'?" : "";

        // Two letters, or a third of a long word; never all of a short one.
        static int Tolerance(string candidate) => Math.Min(candidate.Length - 1, Math.Max(2, candidate.Length / 3));
    }

    /// <summary>
    /// The fewest insertions, deletions and replacements that turn one word into the other (Levenshtein 1966).
    /// </summary>
    /// <param name="a">The word to begin with.</param>
    /// <param name="b">The word to end with.</param>
    /// <returns>The number of changed letters.</returns>
    public static int EditDistance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, replaced));
            }
        }
        return row[^1];
    }
}
