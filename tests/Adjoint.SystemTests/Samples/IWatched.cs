namespace Adjoint.SystemTests.Samples;

/// <summary>What is captured in a program: a function, or the steps of a trainer.</summary>
public interface IWatched
{
    /// <summary>How many plans were recorded.</summary>
    int Plans { get; }

    /// <summary>Why it ran eagerly; null where it did not.</summary>
    string? Refusal { get; }
}
