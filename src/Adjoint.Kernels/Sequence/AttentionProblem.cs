using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>Elements from one index to the next along each axis of an operand (batch, heads, rows, columns).</summary>
/// <param name="Batch">From sample to sample; 0 where all read one.</param>
/// <param name="Head">From head to head; 0 where all read one.</param>
/// <param name="Row">From query to query, or from key to key.</param>
/// <param name="Column">From feature to feature; of a mask, from key to key.</param>
public readonly record struct AttentionStrides(nint Batch, nint Head, nint Row, nint Column)
{
    internal nint At(int batch, int head, int row) => batch * Batch + head * Head + row * Row;
}

/// <summary>
/// The operands of <see cref="Attention"/>, of any layout: queries Q (n, h, t, d), keys K (n, g, s, d) and values V (n,
/// g, s, e), where g divides h and head i reads keys and values of head i / (h / g); and which keys a query sees.
/// </summary>
public readonly unsafe struct AttentionProblem<T> where T : unmanaged
{
    /// <summary>n, the number of samples.</summary>
    public int Batch { get; init; }

    /// <summary>h, the number of heads of the queries.</summary>
    public int Heads { get; init; }

    /// <summary>g, the number of heads of keys and values.</summary>
    public int KeyValueHeads { get; init; }

    /// <summary>t, the number of queries.</summary>
    public int Queries { get; init; }

    /// <summary>s, the number of keys.</summary>
    public int Keys { get; init; }

    /// <summary>d, the features of queries and keys.</summary>
    public int Width { get; init; }

    /// <summary>e, the features of values.</summary>
    public int ValueWidth { get; init; }

    /// <summary>The queries.</summary>
    public T* Q { get; init; }

    /// <summary>The layout of the queries.</summary>
    public AttentionStrides QStrides { get; init; }

    /// <summary>The keys.</summary>
    public T* K { get; init; }

    /// <summary>The layout of the keys.</summary>
    public AttentionStrides KStrides { get; init; }

    /// <summary>The values.</summary>
    public T* V { get; init; }

    /// <summary>The layout of the values.</summary>
    public AttentionStrides VStrides { get; init; }

    /// <summary>The factor of the products of queries and keys.</summary>
    public double Scale { get; init; }

    /// <summary>Whether query i sees no key beyond i + s − t.</summary>
    public bool IsCausal { get; init; }

    /// <summary>True where a query sees a key, or null.</summary>
    public bool* Visible { get; init; }

    /// <summary>Numbers that are added to the scores, −∞ where a query does not see a key; or null.</summary>
    public T* Bias { get; init; }

    /// <summary>The layout of <see cref="Visible"/> or <see cref="Bias"/>.</summary>
    public AttentionStrides MaskStrides { get; init; }

    /// <summary>Slopes (h) of ALiBi, or null.</summary>
    public T* Slopes { get; init; }

    /// <summary>Keys of each sample (n), from 0 to s, beyond which there is padding; or null.</summary>
    public long* Lengths { get; init; }

    /// <summary>The numbers that decide which weights are dropped.</summary>
    public AttentionDropout Dropout { get; init; }

    /// <summary>Whether some keys may not be seen, besides those that come too late or are padding.</summary>
    internal bool HasMask => Visible != null || Bias != null;

    /// <summary>Query heads that share a head of keys and values.</summary>
    internal int GroupSize => Heads / KeyValueHeads;

    /// <summary>The position among the keys of query 0.</summary>
    internal int Shift => Keys - Queries;

    /// <summary>
    /// How many keys the queries up to one of them see at most: no key from there on matters to them.
    /// </summary>
    internal int KeysUpTo(int batch, int query)
    {
        var keys = Lengths == null ? Keys : (int)Lengths[batch];
        return IsCausal ? Math.Clamp(query + Shift + 1, 0, keys) : keys;
    }

    /// <summary>Queries of a head from one on: as many as a strip has, where there are.</summary>
    internal AttentionStrip Strip(int batch, int head, int first, int width)
    {
        var count = Math.Min(width, Queries - first);
        return new(batch, head, first, count, KeysUpTo(batch, first + count - 1));
    }

    /// <summary>Whether a query sees a key.</summary>
    internal bool Sees(int batch, int head, int query, int key)
    {
        if (key >= KeysUpTo(batch, query)) return false;
        var at = MaskAt(batch, head, query, key);
        if (Visible != null) return Visible[at];
        return Bias == null || !EqualityComparer<T>.Default.Equals(Bias[at], NegativeInfinity);
    }

    /// <summary>Where the mask's element lies.</summary>
    internal nint MaskAt(int batch, int head, int query, int key) =>
        MaskStrides.At(batch, head, query) + key * MaskStrides.Column;

    private static T NegativeInfinity
    {
        get
        {
            if (typeof(T) == typeof(float)) return Unsafe.BitCast<float, T>(float.NegativeInfinity);
            return Unsafe.BitCast<double, T>(double.NegativeInfinity);
        }
    }
}
