using Adjoint.Cli;

// Open MPI gives its ranks a terminal, to which .NET would write codes in the midst of the results.
if (LaunchedRank.Find() is not null) Environment.SetEnvironmentVariable("TERM", "dumb");
Console.SetError(new MessageWriter(Console.Error));
if (LaunchedRank.HasLauncher)
{
    Console.SetOut(new RankWriter(Console.Out));
    Console.SetError(new RankWriter(Console.Error));
}
return Tool.Run(args, Console.Out, Console.Error);
