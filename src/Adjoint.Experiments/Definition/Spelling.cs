namespace Adjoint.Experiments;

/// <summary>The nearest valid spelling of a wrong word.</summary>
public static class Spelling
{
    /// <summary><c>; did you mean 'relu'?</c>, or nothing when no word is near.</summary>
    public static string Hint(string word, IEnumerable<string> valid)
    {
        // A word of another length is as far as the lengths differ, at least: a long one costs nothing.
        var nearest = valid.Where(candidate => Math.Abs(word.Length - candidate.Length) <= Near(candidate))
            .MinBy(candidate => Distance(word, candidate));
        return nearest is not null && Distance(word, nearest) <= Near(nearest) ? $"; did you mean '{nearest}'?" : "";

        static int Near(string candidate) => Math.Max(2, candidate.Length / 3);
    }

    /// <summary>The fewest insertions, deletions and replacements that turn one word into the other (Levenshtein 1966).</summary>
    public static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
