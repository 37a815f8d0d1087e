using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What a captured step replays: operations over memory that nothing can recycle, and what has to be so for them to be
/// the step. What lives only within a replay lies in slabs, each byte lent to the next as soon as it is read no more
/// (<see cref="SlabLayout"/>). Storages from outside are lent to it: whoever releases one does not give its bytes to
/// others.
/// </summary>
internal sealed class CapturedPlan
{
    private readonly Tensor[] parameters;
    private readonly Arena arena;
    private readonly List<PrimitiveCall> calls = [];
    private readonly Tensor?[] gradients;
    private readonly (Tensor X, Tensor Y, Tensor Loss) ends;
    private readonly Storage[] foreign;
    private readonly Storage[] writtenForeign;
    private readonly Storage[] ofGradients;
    // Calls that read the inputs, and how: they read the caller's tensor where it lies, unless something keeps that
    // from being as good as a copy.
    private readonly List<(PrimitiveCall Call, int Operand, Tensor View)> readers = [];
    private bool mustCopyInputs;
    private Slab[] slabs;

    private CapturedPlan(Tensor[] parameters, StepRecording recording, byte[][] buffers)
    {
        (this.parameters, arena, gradients) = (parameters, recording.Arena, recording.Gradients);
        foreign = [.. recording.Foreign];
        writtenForeign = [.. recording.Written];
        ofGradients = [.. gradients.OfType<Tensor>().Select(gradient => gradient.Storage)];
        foreach (var storage in ofGradients) storage.IsKept = true;
        ends = (recording.Resolve(recording.X), recording.Resolve(recording.Y), recording.Loss);
        Arrange(recording, buffers);
        Bytes = recording.OwnBytes + Layout.Bytes;
        HandOutGradients();
    }

    /// <summary>Runs a step and keeps what it did.</summary>
    /// <exception cref="CaptureException">Something in it cannot be replayed.</exception>
    internal static CapturedPlan Record(Func<Tensor, Tensor, Tensor> loss, Tensor[] parameters, Tensor x, Tensor y)
    {
        var recording = new StepRecording(loss, parameters, x, y);
        // What the eager call and the recording used is of no more use to others: the plan takes what it needs of it,
        // and needs hardly any new memory. The rest goes to the collector.
        return new CapturedPlan(parameters, recording, BufferPool.TakeAll());
    }

    /// <summary>How many operations a replay runs.</summary>
    internal int Operations => calls.Count;

    /// <summary>Bytes of the buffers that the plan owns.</summary>
    internal long Bytes { get; }

    /// <summary>How what lives only within a replay is placed.</summary>
    internal SlabLayout Layout { get; private set; }

    /// <summary>The loss as computed last, in memory of the caller's.</summary>
    internal Tensor Loss => Tensor.Full(ends.Loss.Shape, ends.Loss.Item(), ends.Loss.DType);

    /// <summary>Whether all that decided what was recorded is as it was then.</summary>
    internal bool IsCurrent
    {
        get
        {
            foreach (var stillHolds in arena.Assumptions)
                if (!stillHolds()) return false;
            return true;
        }
    }

    /// <summary>Why a batch cannot be replayed, or null.</summary>
    internal string? Misfit(Tensor x, Tensor y)
    {
        if (!Fits(x, ends.X) || !Fits(y, ends.Y))
            return $"it was captured for {Kind(ends.X)} and {Kind(ends.Y)}, and is called with {Kind(x)} and {Kind(y)}";
        // The eager step would read what it writes there, the plan what was there before.
        return writtenForeign.Contains(x.Storage) || writtenForeign.Contains(y.Storage)
            ? "an input lies in memory that the step writes in place; pass a .Clone() of it"
            : null;

        static bool Fits(Tensor input, Tensor own) =>
            input.Shape == own.Shape && input.DType == own.DType && input.Device == own.Device;
        static string Kind(Tensor tensor) => tensor.Device == Device.Cpu
            ? $"{tensor.Shape} {tensor.DType.Label()}"
            : $"{tensor.Shape} {tensor.DType.Label()} on {tensor.Device.Name}";
    }

    /// <summary>Computes the step for a batch that fits.</summary>
    /// <exception cref="AdjointException">Memory that the step reads was recycled; nothing was computed.</exception>
    internal Tensor Replay(Tensor x, Tensor y)
    {
        foreach (var storage in foreign) storage.RequireAlive();
        x.Storage.RequireAlive();
        if (BufferGuard.IsOn)
            foreach (var slab in slabs) slab.Spoil();
        // A gradient of the replay before is overwritten by this one, which may be before it is read.
        var isRead = !mustCopyInputs && x.IsContiguous && !ofGradients.Contains(x.Storage);
        if (!isRead) Backend.Run(new Primitives.Copy(), x, ends.X);
        foreach (var (call, operand, view) in readers)
            call.Operands[operand] = isRead
                ? view.Over(x.Storage, view.Offset + x.Offset)
                : view;
        Backend.Run(new Primitives.Copy(), y, ends.Y);
        foreach (var call in calls) call.Run();
        foreach (var storage in writtenForeign) storage.Version++;
        foreach (var storage in ofGradients) storage.Version++;
        HandOutGradients();
        return Loss;
    }

    private void HandOutGradients()
    {
        for (var i = 0; i < parameters.Length; i++)
            if (!ReferenceEquals(parameters[i].Grad, gradients[i])) parameters[i].SetGrad(gradients[i], isOwn: true);
    }

    // Runs of element-wise operations become one; what lives only within a replay gets its place; then every operand
    // is replaced by a tensor that nothing can recycle.
    [MemberNotNull(nameof(Layout), nameof(slabs))]
    private void Arrange(StepRecording recording, byte[][] buffers)
    {
        var recorded = CollectionsMarshal.AsSpan(recording.Calls);
        var users = new Dictionary<Storage, int>();
        foreach (var call in recorded)
            foreach (var storage in call.Operands.OfType<Tensor>().Select(operand => operand.Storage).Distinct())
                users[storage] = users.GetValueOrDefault(storage) + 1;
        var lifetimes = new StorageLifetimes(recorded.Length);
        for (var i = 0; i < recorded.Length;)
        {
            var next = i + 1;
            if (FusedCalls.CanFuse(recorded[i]))
                while (next < recorded.Length && FusedCalls.CanJoin(recorded[i..next], recorded[next])) next++;
            var group = recorded[i..next].ToArray();
            var call = group.Length == 1 ? group[0] : new FusedCalls(group, operand => IsPrivate(operand, group));
            var touched = call.Operands.OfType<Tensor>().Select(operand => operand.Storage).ToHashSet();
            touched.RemoveWhere(storage => !recording.IsUnplaced(storage));
            foreach (var part in group) lifetimes.Note(part, calls.Count, touched.Contains);
            calls.Add(call);
            i = next;
        }
        Layout = new(lifetimes.Uses, Array.ConvertAll(buffers, buffer => (long)Slab.LengthOf(buffer)));
        slabs = [.. Layout.Slabs.Select(slab => slab.Ready < 0 ? new Slab(slab.Bytes) : new Slab(buffers[slab.Ready]))];
        for (var i = 0; i < lifetimes.Storages.Count; i++)
        {
            var (slab, offset) = Layout[i];
            var storage = lifetimes.Storages[i];
            recording.Place(storage, Storage.Within(slabs[slab], offset, storage.ByteLength));
        }
        foreach (var call in calls) Rebind(call, recording);

        // Made in the group before it is read, and used nowhere else.
        bool IsPrivate(Tensor operand, PrimitiveCall[] group)
        {
            var storage = operand.Storage;
            if (!recording.IsUnplaced(storage)) return false;
            if (operand.Length * operand.DType.Size() != storage.ByteLength) return false;
            var inside = group.Where(call => call.Operands.Any(IsIt)).ToArray();
            var first = inside[0].Operands;
            return inside.Length == users[storage] && IsIt(first[^1]) && !first[..^1].Any(IsIt);

            bool IsIt(Tensor? other) => other!.Storage == storage;
        }
    }

    private void Rebind(PrimitiveCall call, StepRecording recording)
    {
        if (call is FusedCalls fused)
        {
            mustCopyInputs |= fused.Operands.Any(operand => operand!.Storage == recording.X.Storage);
            fused.Rebind(recording.Resolve);
            return;
        }
        for (var k = 0; k < call.Operands.Length; k++)
            if (call.Operands[k] is { } operand)
            {
                call.Operands[k] = recording.Resolve(operand);
                if (operand.Storage != recording.X.Storage) continue;
                readers.Add((call, k, call.Operands[k]!));
            }
    }
}
