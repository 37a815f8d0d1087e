using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What a captured step replays: operations over memory that nothing can recycle, and what has to be so for them to be
/// the step. Storages from outside are lent to it: whoever releases one does not give its bytes to others.
/// </summary>
internal sealed class CapturedPlan
{
    private readonly Tensor[] parameters;
    private readonly Arena arena;
    private readonly List<PrimitiveCall> calls = [];
    private readonly Tensor?[] gradients;
    private readonly (Tensor X, Tensor Y, Tensor Loss) ends;
    private readonly Storage[] foreign;
    private readonly Storage[] written;
    // Calls that read the inputs, and how: they read the caller's tensor where it lies, unless something keeps that
    // from being as good as a copy.
    private readonly List<(PrimitiveCall Call, int Operand, Tensor View)> readers = [];
    private bool mustCopyInputs;

    private CapturedPlan(Tensor[] parameters, StepRecording recording)
    {
        (this.parameters, arena, gradients) = (parameters, recording.Arena, recording.Gradients);
        foreign = [.. recording.Foreign];
        Storage[] ofGradients = [.. gradients.OfType<Tensor>().Select(gradient => gradient.Storage)];
        foreach (var storage in ofGradients) storage.IsKept = true;
        written = [.. recording.Written, .. ofGradients];
        ends = (recording.Resolve(recording.X), recording.Resolve(recording.Y), recording.Loss);
        Arrange(recording, [.. ofGradients, ends.Loss.Storage]);
        HandOutGradients();
    }

    /// <summary>Runs a step and keeps what it did.</summary>
    /// <exception cref="CaptureException">Something in it cannot be replayed.</exception>
    internal static CapturedPlan Record(Func<Tensor, Tensor, Tensor> loss, Tensor[] parameters, Tensor x, Tensor y)
    {
        var plan = new CapturedPlan(parameters, new StepRecording(loss, parameters, x, y));
        // What the eager call used is of no more use.
        BufferPool.Trim();
        return plan;
    }

    /// <summary>How many operations a replay runs.</summary>
    internal int Operations => calls.Count;

    /// <summary>Bytes of the buffers that the plan owns.</summary>
    internal long Bytes => arena.Bytes;

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
        return Fits(x, ends.X) && Fits(y, ends.Y)
            ? null
            : $"it was captured for {Kind(ends.X)} and {Kind(ends.Y)}, and is called with {Kind(x)} and {Kind(y)}";

        static bool Fits(Tensor input, Tensor own) => input.Shape == own.Shape && input.DType == own.DType;
        static string Kind(Tensor tensor) => $"{tensor.Shape} {tensor.DType.Label()}";
    }

    /// <summary>Computes the step for a batch that fits.</summary>
    /// <exception cref="AdjointException">Memory that the step reads was recycled; nothing was computed.</exception>
    internal Tensor Replay(Tensor x, Tensor y)
    {
        foreach (var storage in foreign) storage.RequireAlive();
        x.Storage.RequireAlive();
        var isRead = !mustCopyInputs && x.IsContiguous;
        if (!isRead) Backend.Run(new Primitives.Copy(), x, ends.X);
        foreach (var (call, operand, view) in readers)
            call.Operands[operand] = isRead
                ? view.Over(x.Storage, view.Offset + x.Offset)
                : view;
        Backend.Run(new Primitives.Copy(), y, ends.Y);
        foreach (var call in calls) call.Run();
        foreach (var storage in written) storage.Version++;
        HandOutGradients();
        return Loss;
    }

    private void HandOutGradients()
    {
        for (var i = 0; i < parameters.Length; i++)
            if (!ReferenceEquals(parameters[i].Grad, gradients[i])) parameters[i].SetGrad(gradients[i], isOwn: true);
    }

    // Runs of element-wise operations become one; then every operand is replaced by a tensor that nothing can recycle.
    private void Arrange(StepRecording recording, HashSet<Storage> kept)
    {
        var recorded = CollectionsMarshal.AsSpan(recording.Calls);
        var users = new Dictionary<Storage, int>();
        foreach (var call in recorded)
            foreach (var storage in call.Operands.OfType<Tensor>().Select(operand => operand.Storage).Distinct())
                users[storage] = users.GetValueOrDefault(storage) + 1;
        for (var i = 0; i < recorded.Length;)
        {
            var next = i + 1;
            if (FusedCalls.CanFuse(recorded[i]))
                while (next < recorded.Length && FusedCalls.CanJoin(recorded[i..next], recorded[next])) next++;
            if (next - i == 1)
            {
                Rebind(recorded[i], recording);
                calls.Add(recorded[i]);
            }
            else
            {
                var group = recorded[i..next].ToArray();
                var fused = new FusedCalls(group, operand => IsPrivate(operand, group));
                mustCopyInputs |= fused.Operands.Any(operand => operand!.Storage == recording.X.Storage);
                fused.Rebind(recording.Resolve);
                calls.Add(fused);
            }
            i = next;
        }

        // Made in the group before it is read, and used nowhere else.
        bool IsPrivate(Tensor operand, PrimitiveCall[] group)
        {
            var storage = operand.Storage;
            if (storage.Arena != arena || storage.IsKept || kept.Contains(recording.AliasOf(storage))) return false;
            if (operand.Length * operand.DType.Size() != storage.ByteLength) return false;
            var inside = group.Where(call => call.Operands.Any(IsIt)).ToArray();
            var first = inside[0].Operands;
            return inside.Length == users[storage] && IsIt(first[^1]) && !first[..^1].Any(IsIt);

            bool IsIt(Tensor? other) => other!.Storage == storage;
        }
    }

    private void Rebind(PrimitiveCall call, StepRecording recording)
    {
        for (var k = 0; k < call.Operands.Length; k++)
            if (call.Operands[k] is { } operand)
            {
                call.Operands[k] = recording.Resolve(operand);
                if (operand.Storage != recording.X.Storage) continue;
                readers.Add((call, k, call.Operands[k]!));
            }
    }
}
