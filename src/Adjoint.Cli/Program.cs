using Adjoint.Cli;

// Open MPI gives its ranks a terminal, to which .NET would write codes in the midst of the results.
if (LaunchedRank.Find() is not null) Environment.SetEnvironmentVariable("TERM", "dumb");
if (LaunchedRank.HasLauncher) Console.SetOut(new RankWriter(Console.OpenStandardOutput()));
Console.SetError(new MessageWriter(
    LaunchedRank.HasLauncher ? new RankWriter(Console.OpenStandardError()) : Console.Error));
return Tool.Run(args, Console.Out, Console.Error);
