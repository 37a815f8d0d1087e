namespace Adjoint.Distributed;

/// <summary>How gradients are exchanged.</summary>
internal sealed record GradientExchangeOptions
{
    /// <summary>How many bytes of gradients go together, about: a larger parameter goes by itself.</summary>
    public long BucketBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Whether each rank finishes the gradients of whole parameters, its own, whose optimizer state it alone keeps
    /// (ZeRO stage 1), in place of a piece of each bucket.
    /// </summary>
    public bool OwnsWholeParameters { get; init; }

    /// <summary>
    /// Whether each rank gets all gradients; else only those of its own parameters. False only with
    /// <see cref="OwnsWholeParameters"/>.
    /// </summary>
    public bool GathersGradients { get; init; } = true;
}
