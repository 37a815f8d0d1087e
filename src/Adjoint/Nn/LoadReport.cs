using System.Text;

namespace Adjoint.Nn;

/// <summary>What became of the tensors of a state that was loaded into a model, and of those of the model.</summary>
public sealed record LoadReport
{
    private const int MostListed = 5;

    internal LoadReport() { }

    /// <summary>The tensors of the model that have new values, by each of their names in the state.</summary>
    public IReadOnlyList<string> Loaded { get; internal init; } = [];

    /// <summary>Those of them that have another name in the state: that name, and the model's.</summary>
    public IReadOnlyList<(string Old, string New)> Renamed { get; internal init; } = [];

    /// <summary>Those of them whose values were converted to the model's element type.</summary>
    public IReadOnlyList<ConvertedTensor> Converted { get; internal init; } = [];

    /// <summary>The tensors of the model that have another shape in the state; they keep their values.</summary>
    public IReadOnlyList<OtherShape> OtherShapes { get; internal init; } = [];

    /// <summary>The tensors of the model that are not in the state; they keep their values.</summary>
    public IReadOnlyList<string> Missing { get; internal init; } = [];

    /// <summary>The tensors of the state that are not in the model, by their names in the state.</summary>
    public IReadOnlyList<string> Unknown { get; internal init; } = [];

    /// <summary>
    /// The counters <c>num_batches_tracked</c> of batch norms that PyTorch keeps beside the running statistics, by
    /// their names in the state. <see cref="BatchNorm"/> has a fixed momentum and does not need them, so that they are
    /// left out, also by strict loading.
    /// </summary>
    public IReadOnlyList<string> Ignored { get; internal init; } = [];

    /// <summary>The report in a few lines, for people; of long lists the first names.</summary>
    /// <returns>Lines without a line end after the last.</returns>
    public override string ToString()
    {
        var text = new StringBuilder($"loaded {Count(Loaded.Count)}");
        if (Renamed.Count > 0)
            text.Append($"; {Renamed.Count} renamed, such as {Renamed[0].Old} to {Renamed[0].New}");
        Line("missing, so kept as they were", Missing);
        Line("of another shape, so kept as they were", OtherShapes);
        Line("converted", Converted);
        Line("unknown to the model, so left out", Unknown);
        if (Ignored.Count > 0)
            text.Append($"\nleft out {Count(Ignored.Count)} num_batches_tracked, PyTorch's counters");
        return text.ToString();

        void Line<T>(string what, IReadOnlyList<T> all)
        {
            if (all.Count == 0) return;
            text.Append($"\n{what}: {string.Join(", ", all.Take(MostListed))}");
            if (all.Count > MostListed) text.Append($" and {all.Count - MostListed} more");
        }
    }

    private static string Count(int count) => $"{count} tensor{(count == 1 ? "" : "s")}";
}

/// <summary>A tensor that has another shape in a state than in the model.</summary>
public sealed record OtherShape
{
    internal OtherShape(string name, Shape own, IReadOnlyList<long> found) => (Name, Own, Found) = (name, own, found);

    /// <summary>The name of the tensor in the model.</summary>
    public string Name { get; }

    /// <summary>The shape that it has in the model.</summary>
    public Shape Own { get; }

    /// <summary>The sizes that it has in the state.</summary>
    public IReadOnlyList<long> Found { get; }

    /// <summary>As in messages: <c>fc.weight (10, 512), there (1000, 512)</c>.</summary>
    /// <returns>Name and both shapes.</returns>
    public override string ToString() => $"{Name} {Own}, there {Label(Found)}";

    internal static string Label(IReadOnlyList<long> sizes) =>
        sizes.Count == 1 ? $"({sizes[0]},)" : $"({string.Join(", ", sizes)})";
}

/// <summary>A tensor whose values were converted from the element type of a state to the model's.</summary>
/// <param name="Name">The name of the tensor in the model.</param>
/// <param name="From">The element type in the state, as its format names it.</param>
/// <param name="To">The element type in the model.</param>
/// <param name="Overflows">How many values became infinite.</param>
public sealed record ConvertedTensor(string Name, string From, DType To, long Overflows)
{
    /// <summary>How many finite values became infinite when they were converted.</summary>
    /// <param name="from">The tensor as it was.</param>
    /// <param name="to">The same in another element type.</param>
    /// <returns>The number of elements; 0 for types without infinities.</returns>
    public static long CountOverflows(Tensor from, Tensor to) => to.DType.IsFloating()
        ? (long)(from.IsFinite() & to.IsInfinity()).To(DType.Int64).Sum().Item() : 0;

    /// <summary>As in messages: <c>fc.weight float32 to float16, 3 values overflowed to ∞</c>.</summary>
    /// <returns>Name, types, and what overflowed.</returns>
    public override string ToString() => $"{Name} {From} to {To.Label()}"
        + (Overflows == 0 ? "" : $", {Overflows} value{(Overflows == 1 ? "" : "s")} overflowed to ∞");
}
