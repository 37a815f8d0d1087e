using System.Runtime.CompilerServices;
using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// The one door to tensors' memory: everything that computes is a primitive, and goes through
/// <see cref="Run{TPrimitive}(in TPrimitive, ReadOnlySpan{Tensor?})"/>. The CPU runs the primitive's own body; a
/// derived class is another device, with its bodies in one explicit list. What a device lacks throws, naming both; it
/// never falls back silently.
/// </summary>
public abstract class Backend : Device
{
    // Threads that are observed, and whether there is a device but the CPU: while 0, every call goes straight to the
    // CPU's body.
    private static int elsewhere;

    private readonly Dictionary<Type, Delegate> bodies = [];

    /// <summary>A device other than the CPU.</summary>
    protected Backend() => Interlocked.Increment(ref elsewhere);

    /// <summary>Computes a primitive on this device's memory.</summary>
    /// <typeparam name="TPrimitive">The type of the primitive.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, then what it writes; all of them lie on this device.</param>
    protected delegate void Body<TPrimitive>(in TPrimitive primitive, ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IPrimitive<TPrimitive>;

    /// <summary>Registers how this device computes a primitive.</summary>
    /// <typeparam name="TPrimitive">The type of the primitive.</typeparam>
    /// <param name="body">Computes the primitive on this device's memory.</param>
    /// <exception cref="ArgumentException">The primitive was registered before.</exception>
    protected void Register<TPrimitive>(Body<TPrimitive> body) where TPrimitive : struct, IPrimitive<TPrimitive> =>
        bodies.Add(typeof(TPrimitive), body);

    /// <summary>
    /// Computes a primitive on the device where its operands lie: checks them, then runs the body. The results must be
    /// allocated, with the right shape and type.
    /// </summary>
    /// <typeparam name="TPrimitive">The type of the primitive.</typeparam>
    /// <param name="primitive">What to compute, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    /// <exception cref="AdjointException">
    /// The operands do not fit, or lie on different devices, or their device does not have the primitive.
    /// </exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TPrimitive>(in TPrimitive primitive, params ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IPrimitive<TPrimitive>
    {
        TPrimitive.Check(primitive, operands);
        if (TPrimitive.IsInPlace) NoteWrites(operands[^TPrimitive.Outputs..]);
        if (elsewhere == 0) TPrimitive.RunOnCpu(primitive, operands);
        else RunElsewhere(primitive, operands);
    }

    /// <summary>
    /// As <see cref="Run{TPrimitive}(in TPrimitive, ReadOnlySpan{Tensor?})"/>, with attributes that are read at each
    /// run: a replay of a captured function uses those of that moment, such as a learning rate or a step count.
    /// </summary>
    /// <typeparam name="TPrimitive">The type of the primitive.</typeparam>
    /// <param name="primitive">Returns the primitive with its current attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    public static void Run<TPrimitive>(Func<TPrimitive> primitive, params ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IPrimitive<TPrimitive>
    {
        var execution = Execution.Current;
        if (execution is not { Arena: { IsComputing: false } recording, Observer: { } observer })
        {
            Run(primitive(), operands);
            return;
        }
        // What it reads now decides nothing: it is read again.
        recording.IsComputing = true;
        TPrimitive now;
        try
        {
            now = primitive();
        }
        finally
        {
            recording.IsComputing = false;
        }
        TPrimitive.Check(now, operands);
        if (TPrimitive.IsInPlace) NoteWrites(operands[^TPrimitive.Outputs..]);
        observer(new PrimitiveCall<TPrimitive>(now, operands.ToArray(), primitive));
    }

    /// <summary>
    /// Changes what is no tensor's memory, such as a count: a captured function does it again in each replay.
    /// </summary>
    /// <param name="name">For profiles.</param>
    /// <param name="action">What is done.</param>
    /// <param name="undo">Undoes it, where the function turns out not to be capturable.</param>
    internal static void RunOnHost(string name, Action action, Action undo)
    {
        var execution = Execution.Current;
        if (execution is { Arena.IsComputing: false, Observer: { } observer })
            observer(new HostCall(name, action, undo));
        else action();
    }

    /// <summary>
    /// Shows the program a tensor: a captured function does it again in each replay, at the same place among its
    /// operations.
    /// </summary>
    /// <param name="name">For profiles.</param>
    /// <param name="x">The tensor, which is only read.</param>
    /// <param name="look">Is called with the tensor, in a replay with one over the plan's memory.</param>
    /// <param name="forget">
    /// Is called where the function turns out not to be capturable, and what it showed will be shown again.
    /// </param>
    internal static void ShowHost(string name, Tensor x, Action<Tensor> look, Action forget)
    {
        if (Execution.Current is { Arena.IsComputing: false, Observer: { } observer })
            observer(new HostView(name, x, look, forget));
        else look(x);
    }

    /// <summary>
    /// For the bodies of a device: the memory of a tensor that lies on it, and the position of the tensor's first
    /// element; from there on, use <see cref="Tensor.Strides"/>.
    /// </summary>
    /// <param name="x">A tensor on this device.</param>
    /// <returns>The buffer, and the distance from its start to the first element, in elements.</returns>
    /// <exception cref="AdjointException">The tensor lies in the CPU's memory, or was recycled.</exception>
    protected static (DeviceBuffer Buffer, int Offset) MemoryOf(Tensor x)
    {
        x.Storage.RequireAlive();
        return x.Storage.Foreign is { } buffer
            ? (buffer, x.Offset)
            : throw new AdjointException(
                $"Backend: {x.Shape} {x.DType.Label()} lies in the memory of the CPU; move it with .To(device)");
    }

    // Graphs that saved the old values refuse to go backward.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void NoteWrites(ReadOnlySpan<Tensor?> results)
    {
        foreach (var result in results) result?.BumpVersion();
    }

    /// <summary>Hands this thread's primitives to an observer until what it returns is disposed.</summary>
    internal static Observation Observe(Action<PrimitiveCall> execute) => new(execute);

    /// <summary>Runs a primitive where its operands lie, unseen by observers.</summary>
    internal static void Dispatch<TPrimitive>(in TPrimitive primitive, ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IPrimitive<TPrimitive>
    {
        var device = AreSeveral ? DeviceOf(TPrimitive.Name, operands) : Cpu;
        if (device is not Backend other) TPrimitive.RunOnCpu(primitive, operands);
        else if (other.bodies.TryGetValue(typeof(TPrimitive), out var body))
            ((Body<TPrimitive>)body)(primitive, operands);
        else
            throw new AdjointException(
                $"{TPrimitive.Name}: {device.Name} does not have this primitive; move the operands with "
                + ".To(Device.Cpu), or register a body for it");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunElsewhere<TPrimitive>(in TPrimitive primitive, ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IPrimitive<TPrimitive>
    {
        if (Execution.Current.Observer is not { } observer) Dispatch(primitive, operands);
        else observer(new PrimitiveCall<TPrimitive>(primitive, operands.ToArray()));
    }

    private static Device DeviceOf(string primitive, ReadOnlySpan<Tensor?> operands)
    {
        Device? device = null;
        foreach (var operand in operands)
        {
            if (operand is null) continue;
            if (device is null) device = operand.Device;
            else if (operand.Device != device)
                throw new AdjointException(
                    $"{primitive}: all operands must lie on one device: found {device.Name} and "
                    + $"{operand.Device.Name} ({operand.Shape} {operand.DType.Label()}); move one with .To(device)");
        }
        return device ?? Cpu;
    }

    /// <summary>The time while a thread is observed.</summary>
    internal readonly struct Observation : IDisposable
    {
        private readonly Action<PrimitiveCall>? before;

        internal Observation(Action<PrimitiveCall> execute)
        {
            before = Execution.Current.Observer;
            Execution.Current.Observer = execute;
            Interlocked.Increment(ref elsewhere);
        }

        public void Dispose()
        {
            Interlocked.Decrement(ref elsewhere);
            Execution.Current.Observer = before;
            Execution.Current.Cause = null;
        }
    }
}
