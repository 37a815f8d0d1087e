using System.Collections;

namespace Adjoint;

/// <summary>The tensors that an op was applied to, in order.</summary>
public readonly struct OpInputs : IReadOnlyList<Tensor>
{
    private readonly OpNode? node;

    internal OpInputs(OpNode node) => this.node = node;

    /// <summary>The number of inputs.</summary>
    public int Count => Span.Length;

    /// <summary>One of the inputs.</summary>
    /// <param name="index">The position, from 0 on.</param>
    /// <returns>The tensor at that position.</returns>
    /// <exception cref="AdjointException">There is no input at that position.</exception>
    public Tensor this[int index]
    {
        get
        {
            var all = Span;
            return (uint)index < (uint)all.Length ? all[index] : throw None(index);
        }
    }

    private ReadOnlySpan<Tensor> Span => node is null ? [] : node.InputSpan;

    /// <inheritdoc/>
    public IEnumerator<Tensor> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private AdjointException None(int index) => new(
        $"OpNode: {node?.Op.Name ?? "no op"} has no input {index}; it has {Count}, counted from 0");
}
