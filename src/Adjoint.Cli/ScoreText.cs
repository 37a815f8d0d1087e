using System.Globalization;

namespace Adjoint.Cli;

/// <summary>The value of a metric as a person reads it.</summary>
internal static class ScoreText
{
    /// <summary>A share of samples as a percentage, everything else as a number.</summary>
    internal static string Of(string name, double value) =>
        value.ToString(name is "accuracy" or "determinedAccuracy" ? "P2" : "G5", CultureInfo.InvariantCulture);
}
