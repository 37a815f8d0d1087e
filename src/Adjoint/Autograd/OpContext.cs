namespace Adjoint;

/// <summary>What an op may use while it computes: the backend, and a place for what backward will need besides inputs and output.</summary>
public sealed class OpContext
{
    private Tensor[] saved = [];

    /// <summary>Whether backward may follow, so that it pays to prepare for it.</summary>
    public bool IsRecording { get; private set; }

    /// <summary>Keeps tensors for backward; read them back from <see cref="OpNode.Saved"/>.</summary>
    public void Save(params Tensor[] tensors) => saved = tensors;

    /// <summary>Memory for an intermediate result or for what is saved: uninitialised, contiguous.</summary>
    public Tensor Allocate(Shape shape, DType dtype) => Tensor.Empty(shape, dtype);

    internal Tensor[] Saved => saved;

    internal void Begin(bool isRecording) => IsRecording = isRecording;

    internal void End()
    {
        if (saved.Length > 0) saved = [];
    }
}
