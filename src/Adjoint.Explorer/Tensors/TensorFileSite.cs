namespace Adjoint.Explorer;

/// <summary>The page of a file of tensors: a list, and of a chosen one its numbers.</summary>
internal sealed class TensorFileSite(TensorFileExploration exploration) : Site
{
    internal override string Name => "explorer";

    internal override PageFiles Files => PageFiles.Tensors;

    internal override async Task<Answer> AnswerAsync(Query query)
    {
        switch (query.Path)
        {
            case "api/file": return new(exploration.File());
            case "api/tensors": return new(exploration.List(query.Text("search"), query.Text("sort")));
        }
        var tensor = query.Needed("tensor");
        return new(query.Path switch
        {
            "api/tensor" => await exploration.TensorAsync(tensor).ConfigureAwait(false),
            "api/pictures" =>
                await exploration.PicturesAsync(tensor, query.Needed("from")).ConfigureAwait(false),
            "api/slice" => await exploration.SliceAsync(tensor, TensorSlice.Of(query)).ConfigureAwait(false),
            "api/numbers" => await exploration.NumbersAsync(tensor, TensorSlice.Of(query), query.Needed("row"),
                query.Needed("column")).ConfigureAwait(false),
            _ => throw new NotThereException($"there is no {query.Path}"),
        });
    }

    public override void Dispose() => exploration.Dispose();
}
