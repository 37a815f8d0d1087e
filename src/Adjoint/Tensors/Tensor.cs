using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Adjoint.Kernels;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// A value of a computation graph: an n-dimensional array with, where it takes part in learning, a gradient and the
/// op node that made it. Nobody disposes a tensor (see <c>docs/memory.md</c>).
/// </summary>
/// <remarks>
/// Operations live beside their derivative in <c>Ops/</c>, as extension members; this class holds only what a tensor
/// <em>is</em>. Views (reshape, transpose, slice, expand) share the storage.
/// </remarks>
[DebuggerTypeProxy(typeof(TensorDebugView))]
[DebuggerDisplay("{DebuggerText,nq}")]
public sealed partial class Tensor
{
    // Null for those of the shape.
    private readonly nint[]? strides;
    private readonly int offset;
    private byte dtype;
    private Role? role;

    /// <summary>In row-major order without gaps.</summary>
    internal Tensor(Storage storage, Shape shape, DType dtype, int offset = 0)
        : this(storage, shape, dtype, strides: null, offset, isContiguous: true) { }

    private Tensor(Storage storage, Shape shape, DType dtype, nint[]? strides, int offset, bool isContiguous)
    {
        Storage = storage;
        Shape = shape;
        this.dtype = (byte)dtype;
        this.strides = strides;
        // Where nothing is looked at there may be no byte to begin at.
        this.offset = shape.Elements == 0 ? 0 : offset;
        IsContiguous = isContiguous;
    }

    /// <summary>The sizes of the axes, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>The type of the elements in memory.</summary>
    public DType DType => (DType)dtype;

    /// <summary>The number of axes, 0 for a scalar.</summary>
    public int Rank => Shape.Rank;

    /// <summary>The number of elements, 1 for a scalar.</summary>
    public int Length => Shape.Elements;

    /// <summary>A name for printing, error messages and pictures of the graph; null by default.</summary>
    public string? Name
    {
        get => role?.Name;
        set
        {
            if (value is not null || role is not null) Own.Name = value;
        }
    }

    /// <summary>
    /// The op node that computed this tensor (PyTorch's <c>grad_fn</c>), null for a leaf. Recorded where a gradient is
    /// required, or with <see cref="RecordGraph"/>.
    /// </summary>
    public OpNode? Source { get; internal set; }

    /// <summary>Which of the outputs of <see cref="Source"/> this is, counted from 0; 0 for a leaf.</summary>
    public int OutputIndex => Source?.IndexOf(this) ?? 0;

    /// <summary>Whether the user, rather than an op, made this tensor.</summary>
    public bool IsLeaf => Source is null;

    /// <summary>Whether a gradient is computed for this tensor.</summary>
    public bool RequiresGrad { get; internal set; }

    /// <summary>
    /// ∂(what <c>Backward()</c> was called on)/∂(this), added up over calls; null before the first. Leaves only,
    /// unless <see cref="RetainGrad"/> was called. A tensor owns its gradient: setting it copies the values, unless
    /// they have a graph of their own to go on with.
    /// </summary>
    /// <exception cref="AdjointException">
    /// The shape, the type or the device differs, or the memory was recycled.
    /// </exception>
    public Tensor? Grad
    {
        get
        {
            Execution.Current.Journal?.NoteRead(this, role?.Grad);
            return role?.Grad;
        }
        set
        {
            if (value is not null && (value.Shape != Shape || value.DType != DType))
                throw new AdjointException(
                    $"Grad: a gradient must have the shape and type of its tensor: expected {Shape} {DType.Label()}, "
                    + $"found {value.Shape} {value.DType.Label()}");
            if (value is not null && value.Device != Device)
                throw new AdjointException(
                    $"Grad: a gradient must be on the device of its tensor: expected {Device.Name}, found "
                    + $"{value.Device.Name}; move it with .To(device)");
            if (value is { RequiresGrad: true, Source: not null }) SetGrad(value.Keep(), isOwn: false);
            else SetGrad(value?.Duplicate(), isOwn: true);
        }
    }

    /// <summary><see cref="Grad"/>, unnoticed by recordings.</summary>
    internal Tensor? PresentGrad => role?.Grad;

    /// <summary>
    /// Whether nobody else holds the memory of <see cref="Grad"/>, so that it may be added to in place and recycled.
    /// </summary>
    internal bool OwnsGrad => role is { OwnsGrad: true };

    /// <summary>Whether the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous { get; }

    /// <summary>Whether the memory was recycled; reading it then throws.</summary>
    public bool IsReleased => Storage.IsReleased;

    /// <summary>Counts writes in place to the storage, which views share.</summary>
    public int Version => Storage.Version;

    /// <summary>The device whose memory holds the elements.</summary>
    public Device Device => Storage.Device;

    internal Storage Storage { get; private set; }

    /// <summary>Whether this is the 1 with which a backward pass begins: multiplying by it can be left out.</summary>
    internal bool IsUnit { get; private set; }

    /// <summary>
    /// For each axis, the distance in memory from one index to the next, in elements; row-major where
    /// <see cref="IsContiguous"/> holds.
    /// </summary>
    public ReadOnlySpan<nint> Strides => strides is null ? Shape.Strides : strides;
    internal int Offset => offset;
    internal nint StrideAt(int axis) => Strides[axis];
    internal bool RetainsGrad => role is { RetainsGrad: true };

    /// <summary>Whether a gradient was ever asked for: where it no longer is, the parameter is frozen.</summary>
    internal bool IsParameter => role is { IsParameter: true };

    /// <summary>Whether it went over to other memory: see <see cref="Become"/>.</summary>
    internal bool IsConverted => role is { IsConverted: true };

    internal IReadOnlyList<Func<Tensor, Tensor?>>? Hooks => role?.Hooks;

    private Role Own => role ?? Interlocked.CompareExchange(ref role, new(), null) ?? role;

    /// <summary>Marks this leaf as one whose gradient is wanted.</summary>
    /// <param name="on">Whether the gradient is wanted; false takes it back.</param>
    /// <returns>The tensor itself, for chaining.</returns>
    /// <exception cref="AdjointException">The type has no gradients, or an op made the tensor.</exception>
    public Tensor RequireGrad(bool on = true)
    {
        if (on && !DType.IsFloating())
            throw new AdjointException(
                $"RequireGrad: only floating-point tensors have gradients: found {DType.Label()}; cast with "
                + ".To(DType.Float32) first");
        if (Source is not null && RequiresGrad && !on)
            throw new AdjointException(
                $"RequireGrad: the tensor was made by {Source.Op.Name}; use .Detach() for a value without history");
        if (Execution.Current.Journal is { } journal)
            if (on && !IsParameter) journal.NoteBorn(this);
            else journal.NoteUse(this);
        // What was noted without a gradient is where gradients begin from now on.
        if (!RequiresGrad && on) Source = null;
        RequiresGrad = on;
        if (on) Own.IsParameter = true;
        if (on && Source is null) Storage.IsKept = true;
        return this;
    }

    /// <summary>
    /// Drops the gradient and recycles its memory. To keep the gradient readable, set <see cref="Grad"/> to null
    /// instead.
    /// </summary>
    public void ZeroGrad()
    {
        // A pass on another thread may be adding to it.
        lock (this)
        {
            var journal = Execution.Current.Journal;
            journal?.NoteWrite(this, null);
            if (role?.Grad is not { } gradient) return;
            role.Grad = null;
            if (OwnsGrad && journal?.Defers(gradient.Storage) != true)
                gradient.Storage.Release("the gradient was cleared by ZeroGrad()");
        }
    }

    /// <summary>Keeps the gradient of a tensor that an op computed (leaves always keep theirs).</summary>
    /// <returns>The tensor itself, for chaining.</returns>
    public Tensor RetainGrad()
    {
        Own.RetainsGrad = true;
        return this;
    }

    /// <summary>Exempts this tensor's memory from recycling after <c>Backward()</c>.</summary>
    /// <returns>The tensor itself, for chaining.</returns>
    public Tensor Keep()
    {
        if (Storage.Foreign is null) _ = Storage.Bytes;
        Storage.IsKept = true;
        return this;
    }

    /// <summary>The same values without a history: gradients do not pass.</summary>
    /// <returns>A leaf that shares memory with this tensor.</returns>
    public Tensor Detach()
    {
        var value = Over(Storage, offset);
        value.Name = Name;
        return value;
    }

    /// <summary>
    /// Calls a function with this tensor's gradient when it arrives in the backward pass; a result that is not null
    /// replaces the gradient.
    /// </summary>
    /// <param name="hook">Takes the gradient, of this tensor's shape, and returns a replacement or null.</param>
    /// <returns>Dispose of it to remove the hook.</returns>
    public IDisposable RegisterHook(Func<Tensor, Tensor?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        var hooks = Own.Hooks ??= [];
        hooks.Add(hook);
        return new HookHandle(hooks, hook);
    }

    /// <summary>
    /// The elements of a contiguous tensor. For library code, which keeps the tensor alive meanwhile.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<T> Data<T>() where T : unmanaged
    {
        if (!IsContiguous || DTypes.Of<T>() != DType) ThrowLayout<T>();
        return MemoryMarshal.CreateSpan(
            ref Unsafe.Add(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetReference(Storage.Bytes)), offset), Length);
    }

    /// <summary>The bytes of a contiguous tensor of any type.</summary>
    internal Span<byte> Bytes => IsContiguous
        ? Storage.Bytes.Slice(offset * DType.Size(), Length * DType.Size())
        : throw new AdjointException(
            $"Tensor: {Shape} {DType.Label()}, a view with gaps, is read as contiguous; call .Contiguous()");

    // Kernels go on from here by bare pointers: a wrong type would lead them out of the buffer.
    [DoesNotReturn]
    private void ThrowLayout<T>() where T : unmanaged => throw new AdjointException(
        $"Tensor: {Shape} {DType.Label()}{(IsContiguous ? "" : ", a view with gaps,")} is read as contiguous "
        + $"{DTypes.Of<T>().Label()}; cast with .To(DType.{DTypes.Of<T>()}), or call .Contiguous()");

    /// <summary>The first element of a tensor of any layout; go on by <see cref="Strides"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T Origin<T>() where T : unmanaged =>
        ref Unsafe.Add(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetReference(Storage.Bytes)), offset);

    /// <summary>A tensor over the same storage with another layout.</summary>
    internal Tensor View(Shape shape, nint[] viewStrides, int viewOffset) =>
        new(Storage, shape, DType, viewStrides, viewOffset, AreContiguous(shape.Sizes, viewStrides));

    /// <summary>A tensor over the same storage, in row-major order without gaps.</summary>
    internal Tensor View(Shape shape, int viewOffset) => new(Storage, shape, DType, viewOffset);

    /// <summary>The same layout over another storage.</summary>
    internal Tensor Over(Storage storage, int newOffset) =>
        new(storage, Shape, DType, strides, newOffset, IsContiguous);

    /// <summary>
    /// Goes over to other memory, which has as many elements, perhaps of another type or on another device, and keeps
    /// the layout and all else but the gradient.
    /// </summary>
    internal void Become(Tensor memory)
    {
        if (PresentGrad is not null) ZeroGrad();
        (Storage, dtype, Own.IsConverted) = (memory.Storage, memory.dtype, true);
        Storage.IsKept = true;
    }

    /// <summary>Sets <see cref="Grad"/> to that very tensor.</summary>
    internal void SetGrad(Tensor? gradient, bool isOwn)
    {
        Execution.Current.Journal?.NoteWrite(this, gradient);
        if (gradient is not null) gradient.Storage.IsKept = true;
        if (gradient is not null || role is not null) (Own.Grad, Own.OwnsGrad) = (gradient, isOwn);
    }

    internal Tensor MarkUnit()
    {
        IsUnit = true;
        return this;
    }

    /// <summary>Notes a write in place; graphs that saved the old value refuse to go backward.</summary>
    internal void BumpVersion() => Storage.Version++;

    private static bool AreContiguous(ReadOnlySpan<int> sizes, ReadOnlySpan<nint> strides)
    {
        nint expected = 1;
        for (var axis = sizes.Length - 1; axis >= 0; axis--)
        {
            var size = sizes[axis];
            if (size == 0) return true;
            if (size != 1 && strides[axis] != expected) return false;
            expected *= size;
        }
        return true;
    }

    private string DebuggerText =>
        $"{Name ?? "Tensor"} {Shape} {DType.Label()}{(Source is null ? "" : " ← " + Source.Op.Name)}";

    // What only a few tensors have: those that are parameters, or that somebody named or watches.
    private sealed class Role
    {
        internal string? Name { get; set; }
        internal Tensor? Grad { get; set; }
        internal bool OwnsGrad { get; set; }
        internal bool RetainsGrad { get; set; }
        internal bool IsParameter { get; set; }
        internal bool IsConverted { get; set; }
        internal List<Func<Tensor, Tensor?>>? Hooks { get; set; }
    }

    private sealed class HookHandle(List<Func<Tensor, Tensor?>> hooks, Func<Tensor, Tensor?> hook) : IDisposable
    {
        private bool isRemoved;

        // Once: the same delegate may have been registered again.
        public void Dispose()
        {
            if (!isRemoved) hooks.Remove(hook);
            isRemoved = true;
        }
    }
}
