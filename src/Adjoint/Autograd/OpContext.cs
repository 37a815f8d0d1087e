using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What an op may use while it computes: the backend, and a place for what backward will need besides inputs and
/// output.
/// </summary>
public sealed class OpContext
{
    private readonly List<Storage> allocated = [];
    private Tensor[] saved = [];

    /// <summary>Whether backward may follow, so that it pays to prepare for it.</summary>
    public bool IsRecording { get; private set; }

    /// <summary>
    /// Keeps tensors for backward; read them back from <see cref="OpNode.Saved"/>. Those that were allocated here are
    /// recycled as soon as backward has gone through the node for the last time.
    /// </summary>
    public void Save(params Tensor[] tensors) => saved = tensors;

    /// <summary>
    /// Memory for an intermediate result or for what is saved: uninitialised, contiguous. What is not saved is recycled
    /// when <see cref="Op.Forward"/> is done.
    /// </summary>
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
