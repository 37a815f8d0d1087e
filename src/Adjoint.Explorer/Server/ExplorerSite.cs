using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>The explorer's page: a computation, its tensors and rules, and orders to a training.</summary>
internal sealed class ExplorerSite(Exploration exploration) : Site
{
    internal override string Name => "explorer";

    internal override PageFiles Files => PageFiles.Explorer;

    internal override string Methods => "GET, or POST to api/training";

    internal override async Task<Answer> AnswerAsync(Query query)
    {
        var work = Route(query);
        var answer = await exploration.Run(work).ConfigureAwait(false)
            ?? throw new NotThereException("nothing is trained here");
        return new(answer, query.Path == "api/offline" ? "graph.html" : null);
    }

    internal override async Task<byte[]> OrderAsync(Query query, JsonElement order)
    {
        if (query.Path != "api/training")
            throw new AdjointException($"POST is not understood here; use {Methods}");
        var after = query.Number("after") ?? -1;
        var state = await exploration.Run(page =>
        {
            page.Order(order);
            return page.State(after, detailed: true);
        }).ConfigureAwait(false);
        return state!;
    }

    public override void Dispose() => exploration.Dispose();

    private static Func<Exploration, byte[]?> Route(Query query)
    {
        var which = query.Text("which");
        var (arrived, after) = (query.Number("arrived"), query.Number("after") ?? -1);
        var detailed = query.Text("detailed") == "1";
        switch (query.Path)
        {
            case "api/graph": return page => page.Graph();
            case "api/tensor":
                var id = query.Needed("id");
                return page => page.Tensor(id, which, arrived);
            case "api/pictures":
                var (shown, from) = (query.Needed("id"), query.Needed("from"));
                return page => page.Pictures(shown, which, arrived, from);
            case "api/rule":
                var (ruled, input, element) = (query.Needed("op"), query.Needed("input"), query.Needed("element"));
                return page => page.Rule(ruled, input, element);
            case "api/parts":
                var (parted, at) = (query.Needed("op"), query.Needed("element"));
                return page => page.Parts(parted, at);
            case "api/check":
                var op = query.Needed("op");
                return page => page.Check(op);
            case "api/training": return page => page.State(after, detailed);
            case "api/offline": return page => page.Offline();
            default: throw new NotThereException($"there is no {query.Path}");
        }
    }
}
