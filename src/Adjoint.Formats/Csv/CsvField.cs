namespace Adjoint.Formats;

/// <summary>Fields as they are written: quotes around them, doubled inside.</summary>
internal static class CsvField
{
    /// <summary>Takes the quotes from a field.</summary>
    /// <param name="raw">The field without blanks around it; it begins with a quote.</param>
    /// <param name="text">What is in the quotes.</param>
    /// <returns>False where the quotes are not closed at the end, or one inside is not doubled.</returns>
    internal static bool Unquote(ReadOnlySpan<char> raw, out ReadOnlySpan<char> text)
    {
        text = default;
        if (raw.Length < 2 || raw[^1] != '"') return false;
        var inner = raw[1..^1];
        if (!inner.Contains('"'))
        {
            text = inner;
            return true;
        }
        var (result, length) = (new char[inner.Length], 0);
        for (var i = 0; i < inner.Length; i++)
        {
            result[length++] = inner[i];
            if (inner[i] == '"' && (++i == inner.Length || inner[i] != '"')) return false;
        }
        text = result.AsSpan(0, length);
        return true;
    }
}
