namespace Adjoint.Data;

/// <summary>
/// Several samples as tensors by name, each with the samples along its first axis. With inputs and targets alone,
/// <c>var (x, y) = batch</c> takes it apart.
/// </summary>
public sealed class Batch
{
    private readonly string[] names;
    private readonly Tensor[] tensors;

    /// <summary>Creates a batch.</summary>
    /// <param name="tensors">Names and tensors; all have the same size along the first axis.</param>
    /// <exception cref="AdjointException">
    /// There is no tensor, a name stands twice, a tensor has no axis, or the first axes differ.
    /// </exception>
    public Batch(params IEnumerable<(string Name, Tensor Value)> tensors)
    {
        var all = tensors.ToArray();
        if (all.Length == 0) throw new AdjointException("Batch: at least one tensor is needed: found none");
        (names, this.tensors) = ([.. all.Select(entry => entry.Name)], [.. all.Select(entry => entry.Value)]);
        for (var i = 0; i < all.Length; i++)
        {
            var (name, value) = all[i];
            if (names.IndexOf(name) < i) throw new AdjointException($"Batch: the name '{name}' stands there twice");
            if (value.Rank == 0 || value.Shape[0] != (all[0].Value.Rank > 0 ? all[0].Value.Shape[0] : 0))
                throw new AdjointException(
                    $"Batch: the first axis of every tensor must be that of the samples: found {names[0]} "
                    + $"{all[0].Value.Shape} and {name} {value.Shape}");
        }
    }

    /// <summary>The number of samples.</summary>
    public int Count => tensors[0].Shape[0];

    /// <summary>The names of the tensors, in the order of the data set's fields.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>The tensors, in the order of the names.</summary>
    public IReadOnlyList<Tensor> Tensors => tensors;

    /// <summary>
    /// The positions of the samples in their data set, as the loader took them; empty where nothing is known of them.
    /// </summary>
    public IReadOnlyList<int> Indices { get; init; } = [];

    /// <summary>The tensor <see cref="Field.Inputs"/>.</summary>
    /// <exception cref="AdjointException">There is none.</exception>
    public Tensor Inputs => this[Field.Inputs];

    /// <summary>The tensor <see cref="Field.Targets"/>.</summary>
    /// <exception cref="AdjointException">There is none.</exception>
    public Tensor Targets => this[Field.Targets];

    /// <summary>The weights of the samples, (n), by the name <see cref="Field.Weights"/>; null: all weigh 1.</summary>
    public Tensor? Weights => Has(Field.Weights) ? this[Field.Weights] : null;

    /// <summary>A tensor by its name.</summary>
    /// <param name="name">The name of the field.</param>
    /// <returns>The tensor of that name.</returns>
    /// <exception cref="AdjointException">There is no tensor of that name.</exception>
    public Tensor this[string name] => names.IndexOf(name) is >= 0 and var at
        ? tensors[at]
        : throw Sample.Missing("Batch", name, names);

    /// <summary>Says whether there is a tensor of a name.</summary>
    /// <param name="name">The name of the field.</param>
    /// <returns>Whether there is one.</returns>
    public bool Has(string name) => names.Contains(name);

    /// <summary>The same batch with one tensor more, or another in the place of one.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="value">The tensor, with the samples along its first axis.</param>
    /// <returns>The new batch; this one stays as it is.</returns>
    public Batch With(string name, Tensor value)
    {
        var at = names.IndexOf(name);
        var all = names.Zip(tensors).ToList();
        if (at >= 0) all[at] = (name, value);
        else all.Add((name, value));
        return new(all) { Indices = Indices };
    }

    /// <summary>Takes a batch of inputs and targets apart: <c>foreach (var (x, y) in loader)</c>.</summary>
    /// <param name="inputs">The tensor <see cref="Field.Inputs"/>.</param>
    /// <param name="targets">The tensor <see cref="Field.Targets"/>.</param>
    /// <exception cref="AdjointException">One of them is missing.</exception>
    public void Deconstruct(out Tensor inputs, out Tensor targets) => (inputs, targets) = (Inputs, Targets);
}
