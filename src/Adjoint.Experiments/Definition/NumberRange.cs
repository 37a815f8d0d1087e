using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>The numbers that a setting takes.</summary>
public sealed record NumberRange
{
    /// <summary>The smallest; null where there is none.</summary>
    public double? AtLeast { get; init; }

    /// <summary>The largest; null where there is none.</summary>
    public double? AtMost { get; init; }

    /// <summary>A lower bound that is not itself taken; null where there is none.</summary>
    public double? Above { get; init; }

    /// <summary>An upper bound that is not itself taken; null where there is none.</summary>
    public double? Below { get; init; }

    /// <summary>The range in words that say more than its bounds; null for the bounds.</summary>
    public string? Words { get; init; }

    /// <summary>Whether a number lies in the range.</summary>
    /// <param name="number">The number to look at.</param>
    /// <returns>Whether it lies between the bounds.</returns>
    public bool Contains(double number) =>
        !(number < AtLeast || number > AtMost || number <= Above || number >= Below);

    /// <summary>What to write: <c>0 to 100</c>, <c>above 0, at most 1</c>.</summary>
    /// <returns>The range in words.</returns>
    public override string ToString()
    {
        if (Words is not null) return Words;
        if (AtLeast is { } least && AtMost is { } most) return $"{Text(least)} to {Text(most)}";
        (string Name, double? Bound)[] bounds =
            [("at least", AtLeast), ("above", Above), ("at most", AtMost), ("below", Below)];
        return string.Join(", ",
            bounds.Where(one => one.Bound is not null).Select(one => $"{one.Name} {Text(one.Bound!.Value)}"));
    }

    private static string Text(double bound) => bound.ToString(CultureInfo.InvariantCulture);
}
