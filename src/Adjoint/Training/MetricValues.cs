using System.Collections;
using System.Globalization;

namespace Adjoint.Training;

/// <summary>Measures by name, in the order of the metrics; equal where names and bits are.</summary>
internal sealed class MetricValues(IEnumerable<(string Name, double Value)> values)
    : IReadOnlyDictionary<string, double>, IEquatable<MetricValues>
{
    private readonly (string Name, double Value)[] all = [.. values];

    /// <summary>The measures of metrics.</summary>
    internal static MetricValues Of(IEnumerable<Metric> metrics) =>
        new(metrics.Select(metric => (metric.Name, metric.Compute())));

    public int Count => all.Length;

    public IEnumerable<string> Keys => all.Select(entry => entry.Name);

    public IEnumerable<double> Values => all.Select(entry => entry.Value);

    public double this[string key] => TryGetValue(key, out var value)
        ? value
        : throw new KeyNotFoundException($"there is no metric '{key}': found {string.Join(", ", Keys)}");

    public bool ContainsKey(string key) => Array.Exists(all, entry => entry.Name == key);

    public bool TryGetValue(string key, out double value)
    {
        var at = Array.FindIndex(all, entry => entry.Name == key);
        value = at >= 0 ? all[at].Value : double.NaN;
        return at >= 0;
    }

    public IEnumerator<KeyValuePair<string, double>> GetEnumerator() =>
        all.Select(entry => KeyValuePair.Create(entry.Name, entry.Value)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(MetricValues? other) => other is not null && all.AsSpan().SequenceEqual(other.all);

    public override bool Equals(object? obj) => Equals(obj as MetricValues);

    public override int GetHashCode() => all.Aggregate(0, (hash, entry) => HashCode.Combine(hash, entry));

    public override string ToString() => string.Join(", ",
        all.Select(entry => $"{entry.Name} {entry.Value.ToString("R", CultureInfo.InvariantCulture)}"));
}
