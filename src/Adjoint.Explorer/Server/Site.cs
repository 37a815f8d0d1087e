using System.Globalization;
using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>An answer to a page: JSON, or a page to be saved under a name.</summary>
internal readonly record struct Answer(byte[] Body, string? FileName = null);

/// <summary>What a page asks for: a path that begins with <c>api/</c>, and named values.</summary>
internal sealed record Query(string Path, Func<string, string> Text)
{
    /// <summary>A whole number; null where there is none of that name.</summary>
    internal int? Number(string name) =>
        int.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value : null;

    /// <summary>A whole number that must be there.</summary>
    /// <exception cref="AdjointException">It is missing.</exception>
    internal int Needed(string name) =>
        Number(name) ?? throw new AdjointException($"{Path}: a whole number '{name}' is needed");
}

/// <summary>What a <see cref="PageServer"/> serves: a page with its files, and the answers to what it asks.</summary>
internal abstract class Site : IDisposable
{
    /// <summary>Who answers, in messages.</summary>
    internal abstract string Name { get; }

    /// <summary>The page and its files.</summary>
    internal abstract PageFiles Files { get; }

    /// <summary>The methods that it knows, in messages.</summary>
    internal virtual string Methods => "GET";

    /// <summary>The most bytes of an order.</summary>
    internal virtual int LargestOrder => 4096;

    /// <summary>Answers a question of the page; may be called on any thread, several at once.</summary>
    /// <exception cref="AdjointException">The question is not understood, or asks for what is not there.</exception>
    internal abstract Task<Answer> AnswerAsync(Query query);

    /// <summary>Carries out an order of the page, and answers in JSON.</summary>
    /// <exception cref="AdjointException">The order is not understood.</exception>
    internal virtual Task<byte[]> OrderAsync(Query query, JsonElement order) =>
        throw new AdjointException($"POST is not understood here; use {Methods}");

    public virtual void Dispose() { }
}
