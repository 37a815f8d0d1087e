using System.CommandLine;
using System.CommandLine.Parsing;
using System.Numerics;

namespace Adjoint.Cli;

/// <summary>
/// Options with a value that is checked when it is read: every number and every flag of the tool is one of these.
/// </summary>
internal static class NumberOption
{
    // What the help calls it.
    private const string Value = "number";

    /// <summary>An option whose value is a number, or the fallback where it is not given.</summary>
    internal static Option<T> Of<T>(string name, string description, T fallback)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = Read<T>,
            HelpName = Value,
        };

    /// <summary>An option whose value is a number, or null where it is not given.</summary>
    internal static Option<T?> Optional<T>(string name, string description)
        where T : struct, INumber<T>, IMinMaxValue<T> =>
        new(name) { Description = description, CustomParser = result => Read<T>(result), HelpName = Value };

    /// <summary>An option that is on or off: alone it means on.</summary>
    internal static Option<bool> Flag(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            if (result.Tokens.Count == 0) return true;
            var text = result.Tokens[0].Value;
            if (!bool.TryParse(text, out var value))
                result.AddError($"{name}: '{text}' is neither true nor false; alone it means true");
            return value;
        },
    };

    private static T Read<T>(ArgumentResult result) where T : struct, INumber<T>, IMinMaxValue<T>
    {
        if (!NumberText.TryRead<T>(result.Tokens[0].Value, out var value, out var problem))
            result.AddError($"{((OptionResult)result.Parent!).Option.Name}: {problem}");
        return value;
    }
}
