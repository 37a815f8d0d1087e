using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Adjoint.Cli.Commands;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>The tool: parses, runs a command, turns errors into one line and an exit code.</summary>
internal static class Tool
{
    internal const int Failure = 1;
    internal const int Usage = 2;
    internal const int Interrupted = 130;

    internal static int Run(string[] args, TextWriter output, TextWriter error)
    {
        // Not RootCommand: its help would call the tool by the assembly's name.
        var root = new Command("adjoint", "Adjoint: deep learning that can be seen through.") { new HelpOption(), new VersionOption(), TrainCommand.Create(output, error), PaperCommand.Create(output, error), ExperimentCommand.Create(output, error), ExploreCommand.Create(output, error), OpsCommand.Create(output), DataCommand.Create(output, error) };
        var debug = new Option<bool>("--debug") { Description = "Show stack traces of failures.", Recursive = true };
        root.Options.Add(debug);
        var parsed = root.Parse(args);
        try
        {
            if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
                throw new UsageException(Explain(parsed));
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = error, ProcessTerminationTimeout = null };
            return parsed.Invoke(configuration);
        }
        catch (UsageException problem)
        {
            error.WriteLine($"adjoint: {problem.Message}");
            return Usage;
        }
        catch (Exception problem) when (problem is SettingException or ExperimentFormatException)
        {
            error.WriteLine($"adjoint: {problem.Message}");
            return Usage;
        }
        catch (IOException) when (IsClosed(output))
        {
            return 0;
        }
        catch (Exception problem) when (problem is AdjointException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"adjoint: {(parsed.GetValue(debug) ? problem.ToString() : problem.Message)}");
            return Failure;
        }
    }

    private static string Explain(ParseResult parsed)
    {
        var message = parsed.Errors[0].Message.TrimEnd('.');
        if (parsed.UnmatchedTokens.Count == 0)
            return parsed.CommandResult.Command.Subcommands is { Count: > 0 } commands && parsed.CommandResult.Command.Action is null
                ? $"which command? {string.Join(", ", commands.Select(command => command.Name))}; --help tells more"
                : message;
        var word = parsed.UnmatchedTokens[0];
        var valid = word.StartsWith('-')
            ? parsed.CommandResult.Command.Options.Select(option => option.Name)
            : parsed.CommandResult.Command.Subcommands.Select(command => command.Name);
        return $"unknown {(word.StartsWith('-') ? "option" : "command")} '{word}'{Spelling.Hint(word, valid)}";
    }

    // A reader that has enough, such as `head`, closes the pipe: no failure of ours.
    private static bool IsClosed(TextWriter output)
    {
        try
        {
            output.Flush();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
