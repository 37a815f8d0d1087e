using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What a captured function replays for inputs of certain shapes and types: operations over memory that nothing can
/// recycle, and what has to be so for them to be the function. What lives only within a replay lies in slabs, each byte
/// lent to the next as soon as it is read no more (<see cref="SlabLayout"/>); the plans of one function share them.
/// Storages from outside are lent to it: whoever releases one does not give its bytes to others.
/// </summary>
internal sealed class CapturedPlan
{
    // An input that is no larger is copied: to look at it where it lies costs more.
    private const int SmallInput = 4096;

    private readonly Arena arena;
    private readonly List<PrimitiveCall> calls = [];
    private readonly (Tensor Leaf, Tensor? Gradient, bool IsOwn)[] gradients;
    // Before which call a leaf has its gradient, or none.
    private readonly List<(int At, Tensor Leaf, Tensor? Gradient, bool IsOwn)> gradientWrites = [];
    private readonly Action[] turned;
    private readonly Tensor[] inputs;
    private readonly Tensor[] results;
    private readonly Storage[] foreign;
    private readonly Storage[] writtenForeign;
    private readonly HashSet<Storage> ofGradients;
    // Calls that read an input, and how: they read the caller's tensor where it lies, unless something keeps that from
    // being as good as a copy.
    private readonly List<(PrimitiveCall Call, int Operand, Tensor View)>[] readers;
    private readonly bool[] mustCopy;
    private Slab[] slabs;

    private CapturedPlan(Recording recording, IReadOnlyList<Slab> ready)
    {
        (arena, gradients, results) = (recording.Arena, recording.Gradients, recording.Results);
        turned = recording.SwitchRestorers;
        inputs = [.. recording.Inputs.Select(recording.Resolve)];
        readers = [.. inputs.Select(_ => new List<(PrimitiveCall, int, Tensor)>())];
        mustCopy = [.. inputs.Select(input => input.Length * input.DType.Size() <= SmallInput)];
        foreign = [.. recording.Foreign];
        writtenForeign = [.. recording.Written];
        ofGradients = [.. gradients.Select(entry => entry.Gradient?.Storage).OfType<Storage>()];
        foreach (var storage in ofGradients) storage.IsKept = true;
        Arrange(recording, ready);
        OwnBytes = recording.OwnBytes + calls.OfType<FusedCalls>().Sum(call => call.OwnBytes);
        HandOutGradients();
    }

    /// <summary>Runs a function and keeps what it did.</summary>
    /// <param name="function">The function.</param>
    /// <param name="inputs">What it is called with.</param>
    /// <param name="ready">Memory that it may lie in, whose owners never run at the same time.</param>
    /// <exception cref="CaptureException">Something in it cannot be replayed.</exception>
    internal static CapturedPlan Record(
        Func<Tensor[], Tensor[]> function, ReadOnlySpan<Tensor> inputs, IEnumerable<Slab> ready)
    {
        var recording = new Recording(function, inputs);
        // What the eager call and the recording used is of no more use to others: the plan takes what it needs of it,
        // and needs hardly any new memory. The rest goes to the collector.
        return new(recording, [.. ready, .. BufferPool.TakeAll().Select(buffer => new Slab(buffer))]);
    }

    /// <summary>The number of the function's call in which it was used last.</summary>
    internal long LastCall { get; set; }

    /// <summary>How many operations a replay runs.</summary>
    internal int Operations => calls.Count;

    /// <summary>Bytes of buffers that are this plan's alone: inputs, results, gradients.</summary>
    internal long OwnBytes { get; }

    /// <summary>Memory of what lives only within a replay.</summary>
    internal IReadOnlyList<Slab> Slabs => slabs;

    /// <summary>How that is placed.</summary>
    internal SlabLayout Layout { get; private set; }

    /// <summary>The results as computed last, in memory of the caller's.</summary>
    internal Tensor[] Results() => PlanCache.CopyOf(results);

    /// <summary>Whether all that decided what was recorded is as it was then; else what is not.</summary>
    internal bool IsCurrent([NotNullWhen(false)] out string? subject)
    {
        foreach (var storage in foreign)
            if (storage.IsStale)
            {
                subject = "the element type or the device of a tensor";
                return false;
            }
        foreach (var assumption in arena.Assumptions)
            if (!assumption.StillHolds())
            {
                subject = assumption.Subject;
                return false;
            }
        subject = null;
        return true;
    }

    /// <summary>Whether it was recorded for inputs of these shapes and types.</summary>
    internal bool Fits(ReadOnlySpan<Tensor> given)
    {
        if (given.Length != inputs.Length) return false;
        for (var i = 0; i < given.Length; i++)
            if (given[i].Shape != inputs[i].Shape || given[i].DType != inputs[i].DType || given[i].RequiresGrad
                || given[i].Device != Device.Cpu)
                return false;
        return true;
    }

    /// <summary>Which input lies in memory that a replay writes, or null.</summary>
    internal int? Overwritten(ReadOnlySpan<Tensor> given)
    {
        // The eager function would read what it writes there, the plan what was there before.
        for (var i = 0; i < given.Length; i++)
            if (Array.IndexOf(writtenForeign, given[i].Storage) >= 0) return i;
        return null;
    }

    /// <summary>Computes the function for inputs that fit.</summary>
    /// <exception cref="AdjointException">Memory that it reads was recycled; nothing was computed.</exception>
    internal Tensor[] Replay(ReadOnlySpan<Tensor> given)
    {
        foreach (var storage in foreign) storage.RequireAlive();
        foreach (var input in given) input.Storage.RequireAlive();
        if (BufferGuard.IsOn)
            foreach (var slab in slabs) slab.Spoil();
        for (var i = 0; i < given.Length; i++) Bind(i, given[i]);
        var at = 0;
        try
        {
            if (Execution.Current.Observer is { } observer)
                for (; at < calls.Count; at++) observer(calls[at]);
            else
                for (; at < calls.Count; at++) calls[at].Run();
        }
        catch
        {
            LeaveGradients(at);
            throw;
        }
        finally
        {
            // Also where one failed, such as by an index that is out of range, and others had written before.
            foreach (var storage in writtenForeign) storage.Version++;
            foreach (var storage in ofGradients) storage.Version++;
        }
        HandOutGradients();
        foreach (var turn in turned) turn();
        return Results();
    }

    private void Bind(int i, Tensor given)
    {
        // A gradient of the replay before is overwritten by this one, which may be before it is read.
        var isRead = !mustCopy[i] && given.IsContiguous && !ofGradients.Contains(given.Storage);
        if (!isRead) Backend.Run(new Primitives.Copy(), given, inputs[i]);
        if (mustCopy[i]) return;
        foreach (var (call, operand, view) in readers[i])
            call.Operands[operand] = isRead ? view.Over(given.Storage, view.Offset + given.Offset) : view;
    }

    // One that is replaced later, and lies where others will, is none.
    private void NoteGradient(Recording recording, (int At, Tensor Leaf, Tensor? Gradient) write)
    {
        var (_, last, isOwn) = gradients.First(entry => entry.Leaf == write.Leaf);
        var isLast = last is not null && write.Gradient is { } gradient && recording.IsOver(gradient, last);
        gradientWrites.Add((calls.Count, write.Leaf, isLast ? last : null, isOwn));
    }

    // As the function would have left them.
    private void LeaveGradients(int failed)
    {
        foreach (var (at, leaf, gradient, isOwn) in gradientWrites)
            if (at <= failed && !ReferenceEquals(leaf.PresentGrad, gradient)) leaf.SetGrad(gradient, isOwn);
    }

    private void HandOutGradients()
    {
        foreach (var (leaf, gradient, isOwn) in gradients)
            if (!ReferenceEquals(leaf.PresentGrad, gradient)) leaf.SetGrad(gradient, isOwn);
    }

    // Runs of element-wise operations become one; what lives only within a replay gets its place; then every operand
    // is replaced by a tensor that nothing can recycle.
    [MemberNotNull(nameof(Layout), nameof(slabs))]
    private void Arrange(Recording recording, IReadOnlyList<Slab> ready)
    {
        var recorded = CollectionsMarshal.AsSpan(recording.Calls);
        var users = new Dictionary<Storage, int>();
        foreach (var call in recorded)
            foreach (var storage in call.Operands.OfType<Tensor>().Select(operand => operand.Storage).Distinct())
                users[storage] = users.GetValueOrDefault(storage) + 1;
        var (writes, noted) = (recording.GradientWrites, 0);
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
            for (; noted < writes.Length && writes[noted].At < next; noted++) NoteGradient(recording, writes[noted]);
            calls.Add(call);
            i = next;
        }
        Layout = new(lifetimes.Uses, [.. ready.Select(slab => (long)slab.Length)]);
        slabs = [.. Layout.Slabs.Select(slab => slab.Ready < 0 ? new Slab(slab.Bytes) : ready[slab.Ready])];
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

    private void Rebind(PrimitiveCall call, Recording recording)
    {
        for (var i = 0; i < inputs.Length; i++)
            if (call is FusedCalls)
                mustCopy[i] |= call.Operands.Any(operand => operand!.Storage == recording.Inputs[i].Storage);
        if (call is FusedCalls fused)
        {
            fused.Rebind(recording.Resolve);
            return;
        }
        for (var k = 0; k < call.Operands.Length; k++)
            if (call.Operands[k] is { } operand)
            {
                call.Operands[k] = recording.Resolve(operand);
                var input = Array.FindIndex(recording.Inputs, input => input.Storage == operand.Storage);
                if (input >= 0) readers[input].Add((call, k, call.Operands[k]!));
            }
    }
}
