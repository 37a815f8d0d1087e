using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>The page of a language model: tokens, attention of its heads, what comes next.</summary>
internal sealed class LanguageSite(LanguageExploration exploration) : Site
{
    internal override string Name => "explorer";

    internal override PageFiles Files => PageFiles.Language;

    internal override string Methods => "GET, or POST to api/look or api/next";

    // The tokens of a long text.
    internal override int LargestOrder => 1 << 18;

    internal override Task<Answer> AnswerAsync(Query query) => query.Path == "api/model"
        ? Task.FromResult(new Answer(exploration.Model()))
        : throw new NotThereException($"there is no {query.Path}");

    internal override Task<byte[]> OrderAsync(Query query, JsonElement order) => query.Path switch
    {
        "api/look" => exploration.LookAsync(order),
        "api/next" => exploration.NextAsync(order),
        _ => throw new AdjointException($"POST is not understood here; use {Methods}"),
    };

    public override void Dispose() => exploration.Dispose();
}
