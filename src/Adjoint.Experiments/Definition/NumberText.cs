using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Adjoint.Experiments;

/// <summary>
/// Numbers as text, the same on every machine: digits, a decimal point, an exponent. What others could read in another
/// way, such as a decimal comma or separated thousands, is refused, not guessed.
/// </summary>
internal static partial class NumberText
{
    private const NumberStyles Styles =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Reads a number whole, or says in <paramref name="problem"/> what is wrong and what to write.</summary>
    internal static bool TryRead<T>(string text, out T value, out string problem)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        value = default;
        problem = "";
        var isWhole = typeof(T) != typeof(double);
        if (!(isWhole ? Whole() : Decimal()).IsMatch(text)) problem = Malformed(text, isWhole);
        else if (!T.TryParse(text, Styles, CultureInfo.InvariantCulture, out value))
        {
            var bound = text[0] == '-' ? $"at least {Text(T.MinValue)}" : $"at most {Text(T.MaxValue)}";
            problem = $"{text} is out of range; use {bound}";
        }
        else if (!T.IsFinite(value))
            problem = $"{text} is out of range: its size is above the largest number, {Text(T.MaxValue)}";
        else if (T.IsZero(value) && Significant().IsMatch(text))
            problem = $"{text} is out of range: it is so small that it would become 0";
        return problem.Length == 0;
    }

    private static string Malformed(string text, bool isWhole)
    {
        if (isWhole && Decimal().IsMatch(text)) return $"'{text}' is no whole number; write {Example(isWhole)}";
        var pointed = text.Replace(',', '.');
        var plain = Thousands().IsMatch(text) ? Separators().Replace(text, "") : text;
        if (!isWhole && pointed != text && Decimal().IsMatch(pointed))
            return $"'{text}' has a comma; with a decimal point write "
                + $"{pointed}{(plain == text ? "" : $", without a separator {plain}")}";
        if (plain != text) return $"'{text}' has separators; write {plain}";
        return $"'{text}' is no {(isWhole ? "whole " : "")}number; write {Example(isWhole)}";
    }

    private static string Example(bool isWhole) =>
        isWhole ? "digits only, such as 20" : "digits with a decimal point, such as 0.01 or 1e-3";

    private static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A[+-]?[0-9]+\z")]
    private static partial Regex Whole();

    [GeneratedRegex(@"\A[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\z")]
    private static partial Regex Decimal();

    [GeneratedRegex(@"\A[+-]?[0.]*[1-9]")]
    private static partial Regex Significant();

    [GeneratedRegex(@"\A[+-]?[0-9]{1,3}([,_'’\s][0-9]{3})+(\.[0-9]*)?\z")]
    private static partial Regex Thousands();

    [GeneratedRegex(@"[,_'’\s]")]
    private static partial Regex Separators();
}
