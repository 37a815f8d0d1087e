namespace Adjoint.Data;

/// <summary>A data set whose samples are changed by a function as they are read.</summary>
internal sealed class MapDataset(string name, Dataset source, Func<Sample, Sample> map) : Dataset(name)
{
    /// <inheritdoc/>
    public override int Count => source.Count;

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            RequireSample(index);
            return map(source.Read(index))
                ?? throw new AdjointException($"Dataset {Name}: Map gave null for sample {index}; return a sample");
        }
    }
}
