using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Reflection;
using Adjoint.Cli.Commands;
using Adjoint.Experiments;
using Adjoint.Formats;

namespace Adjoint.Cli;

/// <summary>The tool: parses, runs a command, turns errors into one line and an exit code.</summary>
internal static class Tool
{
    internal const int Failure = 1;
    internal const int Usage = 2;
    internal const int Interrupted = 130;

    /// <summary>What starts this tool again: its program, or dotnet and its assembly.</summary>
    internal static IReadOnlyList<string> Command
    {
        get
        {
            var (path, assembly) =
                (Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory, "Adjoint.Cli.dll"));
            return Path.GetFileNameWithoutExtension(path) == "dotnet" ? [path, assembly]
                : Assembly.GetEntryAssembly() == typeof(Tool).Assembly ? [path] : ["dotnet", assembly];
        }
    }

    internal static int Run(string[] args, TextWriter output, TextWriter error)
    {
        // Models of texts may have such tokens.
        BpeText.Register();
        if (args is ["help", .. var asked]) args = [.. asked, "--help"];
        var root = Commands(output, error);
        var debug = (Option<bool>)root.Options.Single(option => option.Name == "--debug");
        // A prompt may begin with @, which names a file of arguments by default.
        var parsed = root.Parse(args, new() { ResponseFileTokenReplacer = null });
        try
        {
            World.Greet();
            if (LaunchedRank.Find() is { } rank && Join(rank) is { } refused) return refused;
            World.Current.Together("options", Check);
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = output,
                Error = error,
                ProcessTerminationTimeout = null,
            };
            var code = parsed.Invoke(configuration);
            World.Current.Tell(RankEvent.End, code: code);
            return code;
        }
        catch (IOException) when (IsClosed(output))
        {
            return 0;
        }
        catch (Exception problem)
        {
            World.Current.Fail(problem, line => error.WriteLine($"adjoint: {line}"));
            // The trace is of many lines, each of them ours, around a message that may not be.
            if (parsed.GetValue(debug) && CodeOf(problem) == Failure)
                foreach (var line in problem.ToString().Split('\n'))
                    error.WriteLine(Printable.Line(line.TrimEnd('\r')));
            return CodeOf(problem);
        }
        finally
        {
            World.Current.Dispose();
        }

        void Check()
        {
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpPage)
                throw new UsageException(Explain(parsed, args));
            if (Empty(parsed) is { } name) throw new UsageException($"{name}: is empty; give it a value");
        }

        // Several ranks join a world before anything can fail on one of them; null, unless the command is not for them.
        int? Join(LaunchedRank rank)
        {
            if (parsed.Action is HelpPage || parsed.GetResult("--version") is OptionResult { Implicit: false })
                return rank.Rank > 0 ? 0 : null;
            var command = parsed.CommandResult.Command;
            if (command.Name != TrainCommand.Name && !EngineOptions.IsRank(parsed))
            {
                // Those of srun may be as many programs that know nothing of each other.
                if (rank.IsSlurm) return null;
                var problem = parsed.Errors.Count > 0 ? Explain(parsed, args)
                    : $"{command.Name} is for one process, and mpirun started {rank.Size}; leave mpirun out";
                if (rank.Rank == 0) error.WriteLine($"adjoint: {Printable.Line(problem)}");
                return Usage;
            }
            try
            {
                // Where the options cannot be read, that is what there is to agree on.
                World.Join(rank, TimeSpan.FromSeconds(
                    parsed.Errors.Count > 0 || command.Name != TrainCommand.Name ? RunSettings.UsualTimeout
                    : parsed.GetValue<double>($"--{RunSettings.Timeout.Name}")));
                return null;
            }
            catch (AdjointException problem)
            {
                rank.Say(error, LineOf(problem));
                return Failure;
            }
        }
    }

    /// <summary>The exit code of a command that a problem ended.</summary>
    internal static int CodeOf(Exception problem) => problem switch
    {
        RanksException ranks => ranks.Code,
        UsageException or SettingException or ExperimentFormatException => Usage,
        _ => Failure,
    };

    /// <summary>What a person reads of a problem, in one line.</summary>
    internal static string LineOf(Exception problem) => Printable.Line(problem switch
    {
        // A setting that nobody found in a file was given as an option.
        SettingException => $"--{problem.Message}",
        UsageException or ExperimentFormatException or RanksException => problem.Message,
        _ => Describe(problem),
    });

    /// <summary>The commands of the tool.</summary>
    internal static Command Commands(TextWriter output, TextWriter error)
    {
        // Not RootCommand: its help would call the tool by the assembly's name.
        var root = new GuidedCommand("adjoint", "Adjoint: deep learning that you can see through.",
        [
            ("adjoint train", "Watch a network learn, and read its report."),
            ("adjoint explore --open", "Watch a network think, in the browser."),
            ("adjoint data fetch mnist", "Get the digits."),
            ("adjoint train --dataset mnist", "Learn to read them."),
            ("adjoint train --help", "All settings."),
        ])
        {
            TrainCommand.Create(output, error), ExploreCommand.Create(output, error),
            PredictCommand.Create(output, error), EvaluateCommand.Create(output, error),
            SampleCommand.Create(output, error), InspectCommand.Create(output), ConvertCommand.Create(output),
            RunsCommand.Create(output, error), CompareCommand.Create(output, error),
            WatchCommand.Create(output, error),
            ExperimentCommand.Create(output, error), PaperCommand.Create(output, error), OpsCommand.Create(output),
            DataCommand.Create(output, error), NewCommand.Create(output), CompletionCommand.Create(output),
        };
        var debug = SettingOption.Of(new FlagSetting("debug") { Help = "Show the stack trace of a failure." });
        debug.Recursive = true;
        root.Options.Add(debug);
        root.Options.Add(new HelpOption { Action = new HelpPage(), Description = "Show this help." });
        root.Options.Add(new VersionOption { Description = "Show the version." });
        return root;
    }

    private static string Describe(Exception problem) => problem switch
    {
        AdjointException or IOException or UnauthorizedAccessException => problem.Message,
        OutOfMemoryException => "out of memory; use smaller sizes or batches, fewer --jobs, or a machine with more",
        _ => $"unexpected {problem.GetType().Name}: {problem.Message}; --debug shows where",
    };

    private static string Explain(ParseResult parsed, string[] args)
    {
        var (result, command) = (parsed.CommandResult, parsed.CommandResult.Command);
        var line = string.Join(' ', HelpPage.Lineage(command).Reverse().Select(one => one.Name));
        // What looks like an option is none, also where the parser took it for an argument.
        var words = result.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
            .Select(token => token.Value).Where(word => word.StartsWith("--", StringComparison.Ordinal));
        if (words.Concat(parsed.UnmatchedTokens).FirstOrDefault() is { } word)
        {
            // Of --name=value the name is what is unknown.
            var name = word.Split('=')[0];
            if (word.StartsWith('-'))
                return $"unknown option '{name}'{Suggestion.For(name, command.Options.Select(option => option.Name))}";
            // Of a flag the parser takes no other value, and leaves it over.
            if (args.FirstOrDefault(arg => arg.StartsWith('-') && arg.EndsWith($"={word}")) is { } flag)
                return $"{flag[..flag.IndexOf('=')]}: '{word}' is neither true nor false; alone it means true";
            return command.Subcommands.Count > 0
                ? $"unknown command '{word}'{Suggestion.For(word, command.Subcommands.Select(below => below.Name))}"
                : $"'{word}' is not expected here; {line} --help lists what is";
        }
        foreach (var option in result.Children.OfType<OptionResult>())
            if (option.IdentifierTokenCount > 1)
                return $"{option.Option.Name}: given {option.IdentifierTokenCount} times; give it once";
            else if (!option.Implicit && option.Tokens.Count < option.Option.Arity.MinimumNumberOfValues)
                return $"{option.Option.Name}: needs a value: {option.Option.Description}";
        foreach (var argument in result.Children.OfType<ArgumentResult>())
            if (argument.Tokens.Count < argument.Argument.Arity.MinimumNumberOfValues)
                return $"{line} needs <{argument.Argument.Name}>: {argument.Argument.Description}";
        return command.Subcommands.Count > 0 && command.Action is null
            ? $"no command given; use one of {string.Join(", ", command.Subcommands.Select(below => below.Name))}; "
                + "--help says more"
            : parsed.Errors[0].Message.TrimEnd('.');
    }

    // No option and no argument means anything by a text without letters.
    private static string? Empty(ParseResult parsed) => parsed.CommandResult.Children
        .Where(result => result.Tokens.Any(token => token.Value.Length == 0))
        .Select(result => result is OptionResult option ? option.Option.Name : ((ArgumentResult)result).Argument.Name)
        .FirstOrDefault();

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
