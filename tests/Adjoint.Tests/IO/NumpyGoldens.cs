using System.Globalization;

namespace Adjoint.Tests.IO;

/// <summary>Files that NumPy wrote: name, values (or "refused", or "archive"), bytes.</summary>
internal static class NumpyGoldens
{
    internal static IReadOnlyList<(string Name, string Values, byte[] Bytes)> All { get; } =
    [
        .. from line in File.ReadLines(Path.Combine(LayeringTests.Root(),
               "tests/Adjoint.Tests/IO/Goldens/numpy_files.txt"))
           let parts = line.Split(' ')
           select (parts[0], parts[1], Convert.FromBase64String(parts[2])),
    ];

    internal static (string Name, string Values, byte[] Bytes) Of(string name) =>
        All.Single(golden => golden.Name == name);

    /// <summary>A number as Python shows it, where it is short.</summary>
    internal static string Repr(double value) =>
        double.IsInfinity(value) ? value > 0 ? "inf" : "-inf"
        : value == Math.Floor(value) ? value.ToString("0.0;-0.0;-0.0", CultureInfo.InvariantCulture)
            .Replace("-0.0", double.IsNegative(value) ? "-0.0" : "0.0", StringComparison.Ordinal)
        : value.ToString("R", CultureInfo.InvariantCulture);
}
