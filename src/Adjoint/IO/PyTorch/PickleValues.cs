namespace Adjoint.IO;

// What a pickle holds, as it is read here: null, bool, long, BigInteger, double, string, byte[], a tuple as object?[],
// and the types of this file and of PyTorchTensor.cs. Nothing else is ever made, and none of it does anything.

/// <summary>A list of Python's.</summary>
internal sealed class PickleList
{
    // Most of those that a hostile file makes stay empty.
    private List<object?>? items;

    internal IReadOnlyList<object?> Items => items ?? (IReadOnlyList<object?>)[];

    internal void Add(object? item) => (items ??= []).Add(item);
}

/// <summary>A dictionary of Python's, ordered; a key may come twice, which those who read it have to look at.</summary>
internal sealed class PickleDict
{
    private List<(object? Key, object? Value)>? items;

    internal IReadOnlyList<(object? Key, object? Value)> Items => items ?? (IReadOnlyList<(object?, object?)>)[];

    internal void Add(object? key, object? value) => (items ??= []).Add((key, value));
}

/// <summary>A name of the list of those that are allowed; see <see cref="PickleGlobals"/>.</summary>
/// <param name="Name">With its module: <c>collections.OrderedDict</c>.</param>
/// <param name="Call">What stands for calling it; null where it is only named.</param>
internal sealed record PickleGlobal(string Name, Func<Unpickler, object?[], object?>? Call = null);

/// <summary>An element type of NumPy's, for its scalars.</summary>
/// <param name="Name">Without byte order: <c>f8</c>.</param>
internal sealed record PickleNumpyType(string Name)
{
    internal bool IsBigEndian { get; set; }
}
