namespace Adjoint.Explorer;

/// <summary>The runs that a page watches, as JSON. Called on any thread, several at once.</summary>
internal interface IWatchedRuns
{
    /// <summary>All runs without their curves, each with a number and a version that changes with its files.</summary>
    byte[] List();

    /// <summary>A run with its curves; null where there is none of that number.</summary>
    byte[]? Run(int id);
}

/// <summary>The page that shows the curves of runs while they train.</summary>
internal sealed class WatchSite(IWatchedRuns runs) : Site
{
    internal override string Name => "tool";

    internal override PageFiles Files => PageFiles.Watch;

    internal override Task<Answer> AnswerAsync(Query query) => Task.FromResult(new Answer(query.Path switch
    {
        "api/runs" => runs.List(),
        "api/run" => runs.Run(query.Needed("id")) ?? throw new NotThereException($"there is no run {query.Text("id")}"),
        _ => throw new NotThereException($"there is no {query.Path}"),
    }));
}
