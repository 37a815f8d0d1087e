using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What an op may use while it computes: memory, and a place for what backward will need besides inputs and output.
/// </summary>
public sealed class OpContext
{
    private readonly List<Storage> allocated = [];
    private Tensor[] saved = [];

    /// <summary>Whether backward may follow, so that preparing for it pays.</summary>
    public bool IsRecording { get; private set; }

    /// <summary>
    /// Keeps tensors for backward, which reads them from <see cref="OpNode.Saved"/>. Those that were allocated here are
    /// recycled as soon as backward has passed the node for the last time.
    /// </summary>
    /// <param name="tensors">What backward needs, in the order in which it reads it.</param>
    public void Save(params Tensor[] tensors) => saved = tensors;

    /// <summary>
    /// Allocates a tensor for an intermediate result, or to be saved. It is recycled at the end of
    /// <see cref="Op.Forward"/>, unless saved.
    /// </summary>
    /// <param name="shape">The sizes of the axes.</param>
    /// <param name="dtype">The type of the elements.</param>
    /// <returns>A contiguous tensor with undefined contents.</returns>
    public Tensor Allocate(Shape shape, DType dtype)
    {
        var tensor = Tensor.Empty(shape, dtype);
        if (tensor.Storage.IsPooled) allocated.Add(tensor.Storage);
        return tensor;
    }

    internal Tensor[] Saved => saved;

    internal void Begin(bool isRecording) => IsRecording = isRecording;

    /// <summary>Ends the forward pass of an op: a node of the graph, if there is one, holds what is saved.</summary>
    internal void End()
    {
        if (allocated.Count > 0) Settle();
        if (saved.Length > 0) saved = [];
    }

    private void Settle()
    {
        foreach (var storage in allocated)
            if (!IsSaved(storage)) storage.Release("it was an intermediate result of an op; save it with context.Save");
            else if (IsRecording) storage.Lifetime = Lifetime.Node;
        allocated.Clear();
    }

    private bool IsSaved(Storage storage)
    {
        foreach (var tensor in saved)
            if (tensor.Storage == storage) return true;
        return false;
    }
}
