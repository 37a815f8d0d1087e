namespace Adjoint.Data;

/// <summary>Some samples of a data set, in an order of their own.</summary>
public sealed class Subset : Dataset
{
    private readonly Dataset source;
    private readonly int[] indices;

    /// <summary>Creates a view of some samples; nothing is copied.</summary>
    /// <param name="name">The name of the part.</param>
    /// <param name="source">The data set to take them from.</param>
    /// <param name="indices">Their positions in it; one may come several times.</param>
    /// <exception cref="AdjointException">There is no sample at one of the positions.</exception>
    public Subset(string name, Dataset source, ReadOnlySpan<int> indices) : base(name)
    {
        foreach (var index in indices) source.RequireSample(index);
        (this.source, this.indices) = (source, indices.ToArray());
    }

    /// <summary>The data set that this is a part of.</summary>
    public Dataset Source => source;

    /// <summary>The positions of the samples in <see cref="Source"/>.</summary>
    public IReadOnlyList<int> Indices => indices;

    /// <inheritdoc/>
    public override int Count => indices.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => source.Fields;

    /// <inheritdoc/>
    public override IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <inheritdoc/>
    public override (double[] Mean, double[] Deviation)? Statistics => source.Statistics;

    /// <inheritdoc/>
    public override Preprocessing? Preprocessing => source.Preprocessing;

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            RequireSample(index);
            return source[indices[index]];
        }
    }

    /// <inheritdoc/>
    public override Tensor Column(string field) => RowCopy.Take(source.Column(field), indices);

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> positions)
    {
        var chosen = new int[positions.Length];
        for (var i = 0; i < chosen.Length; i++)
        {
            RequireSample(positions[i]);
            chosen[i] = indices[positions[i]];
        }
        return source.Load(chosen);
    }
}
