namespace Adjoint.Nn;

/// <summary>
/// The keys and values that a <see cref="MultiHeadAttention"/> has seen, in memory that is allocated once, so that the
/// next position costs one step and not the whole sequence again. For inference: gradients must be off, and captured
/// functions cannot have it. For one thread at a time.
/// </summary>
public sealed class KeyValueCache
{
    private readonly Tensor keys, values;

    /// <summary>Allocates a cache without positions in it.</summary>
    /// <param name="batch">The number n of sequences, 1 or more.</param>
    /// <param name="heads">The number g of heads of keys and values, 1 or more.</param>
    /// <param name="capacity">The number of positions to have room for, 1 or more.</param>
    /// <param name="width">The width d of a head, 1 or more.</param>
    /// <param name="dtype">The element type of keys and values, a floating one.</param>
    /// <param name="device">Where the memory lies; null: the CPU.</param>
    /// <exception cref="AdjointException">A number is not positive, or the type is not floating.</exception>
    public KeyValueCache(
        int batch, int heads, int capacity, int width, DType dtype = DType.Float32, Device? device = null)
    {
        if (batch < 1 || heads < 1 || capacity < 1 || width < 1 || !dtype.IsFloating())
            throw new AdjointException(
                "KeyValueCache: sequences, heads, capacity and width must be positive, the type floating: found "
                + $"{batch}, {heads}, {capacity}, {width} and {dtype.Label()}");
        Shape shape = (int[])[batch, heads, capacity, width];
        device ??= Device.Cpu;
        (keys, values) = (Tensor.Zeros(shape, dtype).To(device).Keep(), Tensor.Zeros(shape, dtype).To(device).Keep());
    }

    /// <summary>The number of positions that there is room for.</summary>
    public int Capacity => keys.Shape[2];

    /// <summary>The number of positions that there are.</summary>
    public int Length { get; private set; }

    /// <summary>Adds keys and values of the next positions.</summary>
    /// <param name="keys">Keys (n, g, t, d), of the cache's type and any layout.</param>
    /// <param name="values">Values (n, g, t, d).</param>
    /// <returns>
    /// All keys and all values so far, (n, g, <see cref="Length"/>, d): views, whose first positions hold until
    /// <see cref="Truncate"/>.
    /// </returns>
    /// <exception cref="AdjointException">
    /// They do not fit the cache or its capacity, they require gradients, or a captured function is being recorded.
    /// </exception>
    public (Tensor Keys, Tensor Values) Append(Tensor keys, Tensor values)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(values);
        if (!Fits(keys) || values.Shape != keys.Shape || values.DType != keys.DType)
            throw new AdjointException(
                $"KeyValueCache: keys and values must be ({this.keys.Shape[0]}, {this.keys.Shape[1]}, t, "
                + $"{this.keys.Shape[3]}) {this.keys.DType.Label()}: found {keys.Shape} {keys.DType.Label()} and "
                + $"{values.Shape} {values.DType.Label()}; create the cache for these sizes");
        if (keys.RequiresGrad || values.RequiresGrad)
            throw new AdjointException(
                "KeyValueCache: gradients cannot pass through what was cached before: found keys or values that "
                + "require them; compute within using (new NoGrad())");
        if (Execution.Current.Arena is not null)
            throw new CaptureException("a key-value cache grows with each call, and a replay would not move on");
        var (at, count) = (Length, keys.Shape[2]);
        if (count > Capacity - at)
            throw new AdjointException(
                $"KeyValueCache: {count} more positions do not fit: there are {at} of its capacity of {Capacity}; "
                + "create it with a larger capacity, or Truncate it");
        this.keys.Slice(2, at, count).CopyFrom(keys);
        this.values.Slice(2, at, count).CopyFrom(values);
        Length += count;
        return (this.keys.Slice(2, 0, Length), this.values.Slice(2, 0, Length));
    }

    /// <summary>Forgets all but the first positions.</summary>
    /// <param name="length">The number of positions to keep, at most <see cref="Length"/>.</param>
    /// <exception cref="AdjointException">The number is negative, or there are fewer.</exception>
    public void Truncate(int length)
    {
        if (length < 0 || length > Length)
            throw new AdjointException(
                $"KeyValueCache: from 0 to all of its {Length} positions can be kept: found {length}");
        Length = length;
    }

    private bool Fits(Tensor x) => x.Rank == 4 && x.DType == keys.DType && x.Shape[0] == keys.Shape[0]
        && x.Shape[1] == keys.Shape[1] && x.Shape[3] == keys.Shape[3];
}
