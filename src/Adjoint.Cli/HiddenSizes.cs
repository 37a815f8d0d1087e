using System.Globalization;

namespace Adjoint.Cli;

/// <summary>
/// The hidden sizes of an mlp as a text: <c>4x</c> is four times the number of inputs, in each of the layers;
/// <c>300,100</c> names each layer.
/// </summary>
internal static class HiddenSizes
{
    private const int MaxFactor = 1000, MaxUnits = 1_000_000;

    /// <summary>Whether a text is a multiple of the inputs, not a list.</summary>
    internal static bool IsMultiple(string text) => text.EndsWith('x');

    /// <summary>What is wrong with a text, or null.</summary>
    internal static string? Check(string text)
    {
        var isRight = IsMultiple(text)
            ? Number(text[..^1]) is >= 1 and <= MaxFactor
            : text.Split(',').All(size => Number(size) is >= 1 and <= MaxUnits);
        return isRight ? null
            : $"'{text}' is neither a multiple of the inputs, such as 4x, nor a list of sizes, such as 300,100; "
                + $"use 1x to {MaxFactor}x, and sizes from 1 to {MaxUnits}";
    }

    /// <summary>The sizes that a text names.</summary>
    /// <param name="text">One that <see cref="Check"/> takes.</param>
    /// <param name="inputs">The number of inputs.</param>
    /// <param name="layers">The number of hidden layers where the text is a multiple.</param>
    internal static int[] Of(string text, int inputs, int layers) => IsMultiple(text)
        ? [.. Enumerable.Repeat(Number(text[..^1])!.Value * inputs, layers)]
        : [.. text.Split(',').Select(size => Number(size)!.Value)];

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
