using System.CommandLine;
using System.CommandLine.Invocation;

namespace Adjoint.Cli;

/// <summary>
/// The help of a command: what it does, examples, commands below it, options by subject. As wide as the terminal.
/// </summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    private const int MaxWidth = 100, Indent = 2, MinWidthBeside = 30;
    private const char NoBreak = '\u00A0';

    public override int Invoke(ParseResult parsed)
    {
        var output = parsed.InvocationConfiguration.Output;
        var isSeen = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        var columns = isSeen ? Terminal.Width : Terminal.UsualWidth;
        Write(parsed.CommandResult.Command, output, Math.Min(MaxWidth, columns - 1));
        return 0;
    }

    /// <summary>Writes the help of a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="output">Gets the help.</param>
    /// <param name="width">The longest line, where no single word is longer.</param>
    internal static void Write(Command command, TextWriter output, int width)
    {
        var guide = command as GuidedCommand;
        Paragraph(output, command.Description!, width);
        output.WriteLine($"\nUsage: {Usage(command)}");
        if (guide is { Examples.Count: > 0 }) Section(output, "Examples", guide.Examples, width);
        if (command.Arguments.Count > 0)
            Section(
                output, "Arguments", [.. command.Arguments.Select(one => ($"<{one.Name}>", one.Description!))], width);
        if (command.Subcommands.Count > 0)
            Section(output, "Commands", [.. command.Subcommands.Select(one => (one.Name, one.Description!))], width);
        foreach (var group in guide?.Groups ?? []) Section(output, group.Title, [.. group.Options.Select(Row)], width);
        var grouped = guide?.Groups.SelectMany(group => group.Options).ToHashSet() ?? [];
        var everywhere = Lineage(command)
            .SelectMany(one => one.Options.Where(option => one == command || option.Recursive))
            .Where(option => !grouped.Contains(option)).Distinct();
        Section(output, "General", [.. everywhere.Select(Row)], width);
    }

    private static string Usage(Command command) => string.Join(' ',
    [
        .. Lineage(command).Reverse().Select(one => one.Name),
        .. command.Subcommands.Count > 0 ? ["<command>"] : Array.Empty<string>(),
        .. command.Arguments.Select(argument => $"<{argument.Name}>"), "[options]",
    ]);

    /// <summary>A command and those above it, from the innermost.</summary>
    internal static IEnumerable<Command> Lineage(Command command)
    {
        for (Command? one = command; one is not null; one = one.Parents.OfType<Command>().FirstOrDefault())
            yield return one;
    }

    private static (string, string) Row(Option option)
    {
        var aliases = option.Aliases.Where(alias => alias != option.Name && alias.StartsWith('-'));
        var names = string.Join(", ", aliases.OrderBy(alias => alias.Length).Append(option.Name));
        var takes = option.HelpName is null ? ""
            : option is ISettingOption { Setting.Bare: not null } ? $" [<{option.HelpName}>]" : $" <{option.HelpName}>";
        var fallback = option is ISettingOption { Setting.DefaultText: { } text }
            ? " " + $"[default: {text}]".Replace(' ', NoBreak) : "";
        return (names + takes, option.Description + fallback);
    }

    // Names on the left, descriptions beside them; where that leaves too little room, below them.
    private static void Section(TextWriter output, string title, IReadOnlyList<(string Name, string What)> rows,
        int width)
    {
        output.WriteLine($"\n{title}:");
        var left = rows.Max(row => row.Name.Length) + Indent + 2;
        var beside = width - left >= MinWidthBeside;
        foreach (var (name, what) in rows)
        {
            var at = beside ? left : 3 * Indent;
            var lines = Wrap(what, Math.Max(10, width - at)).ToArray();
            output.WriteLine(beside && lines.Length > 0
                ? new string(' ', Indent) + name.PadRight(left - Indent) + lines[0] : new string(' ', Indent) + name);
            foreach (var line in beside ? lines.Skip(1) : lines) output.WriteLine(new string(' ', at) + line);
        }
    }

    private static void Paragraph(TextWriter output, string text, int width)
    {
        foreach (var line in Wrap(text, width)) output.WriteLine(line);
    }

    /// <summary>The words of a text in lines; a default stays on one where it fits on one.</summary>
    internal static IEnumerable<string> Wrap(string text, int width)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(word => word.Length > width ? word.Split(NoBreak) : [word]);
        var line = "";
        foreach (var word in words)
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line += (line.Length > 0 ? " " : "") + word.Replace(NoBreak, ' ');
        }
        if (line.Length > 0) yield return line;
    }
}
