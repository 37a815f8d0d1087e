using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// What one call of <see cref="GradientCheckpoint"/> computed. Its nodes stay in the graph, but the memory of what they
/// need goes back to the pool; a backward pass that comes to one of them has the primitives run again, into the same
/// storages. See <c>docs/adr/0020-checkpoints-repeat-primitives.md</c>.
/// </summary>
internal sealed class CheckpointRegion : IStorageWatcher
{
    private const string Dropped =
        "it was made within GradientCheckpoint.Run, and Backward() computes it again; return it from the function";

    private readonly CheckpointRegion? parent;
    private readonly Action<PrimitiveCall>? watcher;
    private readonly List<Storage> memory = [];
    private readonly List<Step> steps = [];
    private readonly List<Temporary> temporaries = [];
    private readonly List<(Storage Storage, int Version)> assumed = [];
    private Notes? notes = new();
    private int users;
    private bool isKept;

    internal CheckpointRegion(Execution execution) =>
        (parent, watcher) = (execution.Checkpoint, execution.Observer);

    // Repeating is nothing that a region around this code has to repeat.
    private Action<PrimitiveCall>? Outermost => parent is null ? watcher : parent.Outermost;

    /// <summary>Computes something, and notes which primitives do.</summary>
    internal Tensor[] Watch(Func<Tensor[]> function)
    {
        var execution = Execution.Current;
        var cause = execution.Cause;
        execution.Checkpoint = this;
        try
        {
            using (Backend.Observe(Note)) return function();
        }
        finally
        {
            execution.Checkpoint = parent;
            execution.Cause = cause;
        }
    }

    /// <summary>Notes memory that nobody but what is watched knows.</summary>
    public void NoteMade(Storage storage)
    {
        if (!notes!.IsBusy) notes.Made.Add(storage);
        parent?.NoteMade(storage);
    }

    /// <summary>Notes numbers that no primitive writes again.</summary>
    public void NoteWritten(Storage storage)
    {
        notes!.Made.Remove(storage);
        if (notes.Uses.TryGetValue(storage, out var use)) use.IsOwn = false;
        parent?.NoteWritten(storage);
    }

    /// <summary>The regions around a node, the outermost first.</summary>
    internal static IEnumerable<CheckpointRegion> Around(OpNode node)
    {
        var all = new Stack<CheckpointRegion>();
        for (var region = node.Checkpoint; region is not null; region = region.parent) all.Push(region);
        return all;
    }

    /// <summary>Ends the forward pass: decides what is computed again, and gives its memory back.</summary>
    internal void Close(Tensor[] results)
    {
        var own = notes!;
        foreach (var use in own.Uses.Values)
            if (use is { IsWritten: true, Readers.Count: > 0 }) Save(use);
        var returned = results.Select(result => result.Storage).ToHashSet();
        foreach (var (storage, use) in own.Uses)
        {
            if (!use.IsOwn) continue;
            if (storage.IsReleased) use.Fate = Fate.Passing;
            else if (IsOfGraph(storage, use) && !returned.Contains(storage)) use.Fate = Fate.Dropped;
            else if (use.Writes > 1) use.Fate = Fate.Changing;
            if (use.Fate == Fate.Dropped) memory.Add(storage);
        }
        Arrange(own);
        if (Execution.Current.Arena is not null) Replace(own);
        notes = null;
        foreach (var storage in memory) storage.Release(Dropped);
    }

    /// <summary>Computes again what was dropped, until <see cref="Release"/> was called as often.</summary>
    /// <exception cref="AdjointException">Something that is read was changed in place since.</exception>
    internal void Acquire()
    {
        lock (steps)
        {
            users++;
            if (memory.Exists(storage => storage.IsReleased)) Restore();
        }
    }

    /// <summary>Ends a use.</summary>
    /// <param name="keeps">Whether a graph of gradients needs from now on what was computed again.</param>
    internal void Release(bool keeps)
    {
        lock (steps)
        {
            isKept |= keeps;
            if (--users > 0 || isKept) return;
            foreach (var storage in memory)
                if (storage is { IsKept: false, PendingUses: 0, Lifetime: not Lifetime.Backward })
                    storage.Release(Dropped);
        }
    }

    // Of what needs no gradient, a table for example, the program may keep some; but hardly masks, which differ from
    // call to call.
    private static bool IsOfGraph(Storage storage, Use use) =>
        storage is { IsPooled: true, IsKept: false, IsLent: false }
        && (storage.Lifetime is Lifetime.Forward or Lifetime.Node || storage.Lifetime is Lifetime.Free && use.IsRandom);

    private void Note(PrimitiveCall call)
    {
        var own = notes!;
        // Part of another's body, which is repeated as a whole.
        if (own.IsBusy)
        {
            call.Run();
            return;
        }
        if (call.Outputs > 0) Note(call, own);
        Pass(call);
    }

    private void Note(PrimitiveCall call, Notes own)
    {
        var note = new Noted(call);
        var (firstOutput, isRandom) = (call.Operands.Length - call.Outputs, false);
        for (var i = 0; i < call.Operands.Length; i++)
        {
            if (note.Operands[i] is not { } operand) continue;
            var isOutput = i >= firstOutput;
            if (!own.Uses.TryGetValue(operand.Storage, out var use))
                own.Uses[operand.Storage] = use = new()
                {
                    Operand = operand,
                    Version = operand.Version,
                    // What is read first was there before, or the program filled it with numbers.
                    IsOwn = isOutput && !call.IsInPlace && own.Made.Contains(operand.Storage),
                };
            note.Uses[i] = use;
            if (!isOutput) isRandom |= use.IsRandom;
            else if (use.IsOwn) use.Writes++;
            else isRandom = use.IsWritten = true;
            if (!use.IsOwn) use.Readers.Add((note, i));
            if (!use.IsOwn && isOutput) Save(use);
        }
        for (var i = firstOutput; i < call.Operands.Length; i++)
            if (note.Uses[i] is { } use) use.IsRandom |= isRandom;
        own.Calls.Add(note);
    }

    // What is there now is what those read that did since it was written last.
    private void Save(Use use)
    {
        var storage = use.Operand.Storage;
        var all = use.Operand.View((int[])[storage.ByteLength / use.Operand.DType.Size()], 0);
        var own = notes!;
        own.IsBusy = true;
        var copy = Tensor.Empty(all.Shape, all.DType);
        copy.Storage.IsKept = true;
        own.IsBusy = false;
        Pass(new PrimitiveCall<Copy>(default, [all, copy]));
        foreach (var (note, operand) in use.Readers) note.Before[operand] = copy;
        use.Readers.Clear();
    }

    private void Pass(PrimitiveCall call)
    {
        var own = notes!;
        own.IsBusy = true;
        try
        {
            if (watcher is null) call.Run();
            else watcher(call);
        }
        finally
        {
            own.IsBusy = false;
        }
    }

    // From the last call to the first: those on which something depends that was dropped.
    private void Arrange(Notes own)
    {
        var needed = own.Uses.Values.Where(use => use.Fate == Fate.Dropped).ToHashSet();
        for (var k = own.Calls.Count - 1; k >= 0; k--)
        {
            var note = own.Calls[k];
            if (!note.Uses.Skip(note.FirstOutput).Any(use => use is not null && needed.Contains(use))) continue;
            note.IsNeeded = true;
            foreach (var use in note.Uses)
                if (use is { IsOwn: true, Fate: Fate.Passing or Fate.Changing }) needed.Add(use);
        }
        var places = new Dictionary<Use, int>();
        foreach (var note in own.Calls)
            if (note.IsNeeded) Add(note, places);
        assumed.AddRange(own.Uses.Where(pair => pair.Value is { IsAssumed: true })
            .Select(pair => (pair.Key, pair.Value.Version)));
    }

    private void Add(Noted note, Dictionary<Use, int> places)
    {
        var place = new int[note.Operands.Length];
        for (var i = 0; i < place.Length; i++)
        {
            place[i] = -1;
            if (note.Uses[i] is not { } use) continue;
            var isOutput = i >= note.FirstOutput;
            if (note.Before[i] is { } before)
            {
                if (isOutput) place[i] = AddTemporary(before, before);
                else note.Operands[i] = note.Operands[i]!.Over(before.Storage, note.Operands[i]!.Offset);
            }
            else if (use.IsOwn && use.Fate is Fate.Passing or Fate.Changing)
            {
                if (!places.TryGetValue(use, out place[i])) places[use] = place[i] = AddTemporary(use.Operand, null);
            }
            else if (use.IsOwn && use.Fate == Fate.Stays && isOutput) place[i] = AddTemporary(use.Operand, null);
            else if (use.Fate == Fate.Stays) use.Assume();
            if (place[i] >= 0) temporaries[place[i]].Last = steps.Count;
        }
        steps.Add(new(note.Call.Again(note.Operands), place));
    }

    private int AddTemporary(Tensor like, Tensor? filledWith)
    {
        temporaries.Add(new(like.Storage.ByteLength, like.Device, filledWith, steps.Count));
        return temporaries.Count - 1;
    }

    // Dropped memory is other memory in a plan: what forward writes there ends with it.
    private void Replace(Notes own)
    {
        var others = new Dictionary<Use, Storage>();
        foreach (var note in own.Calls)
            for (var i = 0; i < note.Uses.Length; i++)
            {
                if (note.Uses[i] is not { Fate: Fate.Dropped } use) continue;
                if (!others.TryGetValue(use, out var other))
                {
                    others[use] = other = Storage.Allocate(use.Operand.Storage.ByteLength);
                    other.Release("it stands for memory within a plan");
                }
                note.Call.Operands[i] = note.Call.Operands[i]!.Over(other, note.Call.Operands[i]!.Offset);
            }
    }

    private void Restore()
    {
        foreach (var (storage, version) in assumed)
            if (storage.Version != version)
                throw new AdjointException(
                    "GradientCheckpoint: a tensor that the function read was changed in place since (version "
                    + $"{version} then, {storage.Version} now), and Backward() computes with it again; change a "
                    + ".Clone(), or change it after Backward()");
        var execution = Execution.Current;
        var (listed, cause, device) = (execution.Allocated, execution.Cause, execution.Device);
        var observer = execution.Checkpoint is { } open ? open.Outermost : execution.Observer;
        execution.Allocated = null;
        if (observer is not null) execution.Cause = ("GradientCheckpoint", true);
        var taken = new Storage?[temporaries.Count];
        try
        {
            execution.Enter(Device.Cpu);
            foreach (var storage in memory)
                if (storage.IsReleased) storage.Refill(execution);
            for (var i = 0; i < steps.Count; i++) Run(i);
        }
        finally
        {
            foreach (var storage in taken) storage?.Release("it was an intermediate result of GradientCheckpoint");
            (execution.Allocated, execution.Cause, execution.Device) = (listed, cause, device);
        }

        void Run(int i)
        {
            var operands = steps[i].Call.Operands.ToArray();
            for (var k = 0; k < operands.Length; k++)
                if (steps[i].Places[k] is >= 0 and var place)
                    operands[k] = operands[k]!.Over(taken[place] ??= Take(temporaries[place]), operands[k]!.Offset);
            Compute(steps[i].Call.Again(operands));
            foreach (var place in steps[i].Places)
                if (place >= 0 && temporaries[place].Last == i)
                    taken[place]!.Release("it was an intermediate result of GradientCheckpoint");
            GC.KeepAlive(operands);
        }

        Storage Take(Temporary temporary)
        {
            execution.Enter(temporary.Device);
            var storage = Storage.Allocate(temporary.ByteLength, execution);
            if (temporary.FilledWith is { } values)
                Compute(new PrimitiveCall<Copy>(default, [values, values.Over(storage, 0)]));
            return storage;
        }

        void Compute(PrimitiveCall call)
        {
            if (observer is null) call.Run();
            else observer(call);
        }
    }

    private enum Fate
    {
        // Not made within, or there for good: read where it lies.
        Stays,

        // Computed again by the backward pass.
        Dropped,

        // An op's own: it was gone before the end.
        Passing,

        // Stays, but was another while it was read.
        Changing,
    }

    private sealed class Use
    {
        public required Tensor Operand { get; init; }

        public required int Version { get; set; }

        // Made within, by primitives alone.
        public required bool IsOwn { get; set; }

        public int Writes { get; set; }
        public bool IsWritten { get; set; }
        public bool IsRandom { get; set; }
        public bool IsAssumed { get; private set; }
        public Fate Fate { get; set; }

        // Of what is not made within, since it was written last.
        public List<(Noted Note, int Operand)> Readers { get; } = [];

        internal void Assume()
        {
            // What is made within has its last version now.
            if (IsOwn) Version = Operand.Version;
            IsAssumed = true;
        }
    }

    private sealed class Noted(PrimitiveCall call)
    {
        public PrimitiveCall Call => call;

        // The call's own array may be changed by who watches.
        public Tensor?[] Operands { get; } = [.. call.Operands];
        public Use?[] Uses { get; } = new Use?[call.Operands.Length];
        public Tensor?[] Before { get; } = new Tensor?[call.Operands.Length];
        public int FirstOutput => call.Operands.Length - call.Outputs;
        public bool IsNeeded { get; set; }
    }

    private sealed class Notes
    {
        public List<Noted> Calls { get; } = [];
        public Dictionary<Storage, Use> Uses { get; } = [];
        public HashSet<Storage> Made { get; } = [];
        public bool IsBusy { get; set; }
    }

    private sealed record Step(PrimitiveCall Call, int[] Places);

    private sealed class Temporary(int byteLength, Device device, Tensor? filledWith, int first)
    {
        public int ByteLength => byteLength;
        public Device Device => device;
        public Tensor? FilledWith => filledWith;
        public int Last { get; set; } = first;
    }
}
