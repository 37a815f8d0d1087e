namespace Adjoint.Experiments;

/// <summary>The nearest valid spelling of a wrong word.</summary>
public static class Spelling
{
    /// <summary><c>; did you mean 'relu'?</c>, or nothing when no word is near.</summary>
    public static string Hint(string word, IEnumerable<string> valid)
    {
        var nearest = valid.MinBy(candidate => Distance(word, candidate));
        return nearest is not null && Distance(word, nearest) <= Math.Max(2, nearest.Length / 3) ? $"; did you mean '{nearest}'?" : "";
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
