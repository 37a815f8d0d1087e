namespace Adjoint;

/// <summary>A height and a width; an <c>int</c> converts to both.</summary>
/// <param name="Height">The size along the second-last axis.</param>
/// <param name="Width">The size along the last axis.</param>
public readonly record struct Size2(int Height, int Width)
{
    /// <summary>The same size in both directions.</summary>
    /// <param name="size">The height and the width.</param>
    /// <returns>The pair (size, size).</returns>
    public static implicit operator Size2(int size) => new(size, size);

    /// <summary>Converts a pair of height and width.</summary>
    /// <param name="size">The height, then the width.</param>
    /// <returns>The same pair.</returns>
    public static implicit operator Size2((int Height, int Width) size) => new(size.Height, size.Width);

    /// <inheritdoc/>
    public override string ToString() => Height == Width ? $"{Height}" : $"{Height}×{Width}";
}
