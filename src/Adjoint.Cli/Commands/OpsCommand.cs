using System.CommandLine;
using System.Globalization;
using Adjoint.Experiments;
using Adjoint.Explorer;

namespace Adjoint.Cli.Commands;

/// <summary>
/// <c>adjoint ops</c>: every op with formula and derivation; with <c>--check</c>, each derivative compared with finite
/// differences; with <c>--html</c>, a page for each.
/// </summary>
internal static class OpsCommand
{
    internal static Command Create(TextWriter output)
    {
        var check = SettingOption.Of(
            new FlagSetting("check") { Help = "Compare each derivative with finite differences and print the error." });
        var html = SettingOption.Of(
            new TextSetting("html") { Help = "Write a page for each op into this folder.", ValueName = "folder" });
        var command = new GuidedCommand("ops", "List the operations, their formulas and derivations.",
            [
                ("adjoint ops", "Read them."),
                ("adjoint ops --check", "Compare every derivative with finite differences."),
                ("adjoint ops --html pages", "A page for each."),
            ],
            new OptionGroup("Instead", [check, html]));
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(check) && parsed.GetValue(html) is not null)
                throw new UsageException("--check: does nothing beside --html, whose pages show it; leave it out");
            if (parsed.GetValue(html) is { } folder) return WriteCards(folder, output);
            return parsed.GetValue(check) ? Check(output) : List(output);
        });
        return command;
    }

    private static int List(TextWriter output)
    {
        foreach (var entry in OpCatalogue.All)
            output.WriteLine($"{entry.Op.Name}\n  {entry.Op.Formula}\n  {entry.Op.Derivation}");
        return 0;
    }

    private static int WriteCards(string folder, TextWriter output)
    {
        output.WriteLine($"{OpCards.Write(folder)} ops: {Path.Combine(folder, "index.html")}");
        return 0;
    }

    private static int Check(TextWriter output)
    {
        OpEntry[] all = [.. OpCatalogue.All.Where(entry => entry.IsDifferentiable)];
        var failed = 0;
        output.WriteLine($"{"op",-16} {"first derivative",18} {"second derivative",18}");
        foreach (var entry in all)
        {
            var first = entry.Check()!;
            var second = entry.Check(second: true);
            var passed = first.Passed && second is not { Passed: false };
            if (!passed) failed++;
            var next = second is null ? "not smooth" : second.Comparisons == 0 ? "0" : Error(second);
            var verdict = passed ? "" : $"  FAILED: {first.Worst} {second?.Worst}";
            output.WriteLine($"{entry.Op.Name,-16} {Error(first),18} {next,18}{verdict}");
        }
        output.WriteLine(failed == 0
            ? $"all {all.Length} ops agree with finite differences in float64"
            : $"{failed} of {all.Length} ops differ from finite differences");
        return failed == 0 ? 0 : Tool.Failure;
    }

    private static string Error(GradCheckResult result) =>
        result.MaxError.ToString("0.0e+00", CultureInfo.InvariantCulture);
}
