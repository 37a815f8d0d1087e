using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// One run of a function under observation: its operations, the memory that they touched, what came out, and what it
/// left in the gradients of leaves.
/// </summary>
internal sealed class Recording
{
    private readonly Storage[] callers;
    private readonly HashSet<Storage> readConstants = [];
    private readonly Dictionary<Storage, byte[]> overwritten = [];
    private readonly Dictionary<Storage, Storage> aliases = [];
    private readonly LeafJournal journal;

    /// <summary>Runs a function.</summary>
    /// <exception cref="CaptureException">Something cannot be replayed; all from outside is as before.</exception>
    internal Recording(Func<Tensor[], Tensor[]> function, ReadOnlySpan<Tensor> inputs)
    {
        callers = new Storage[inputs.Length];
        Inputs = new Tensor[inputs.Length];
        journal = new(Arena, () => Calls.Count);
        // It is not made inside the function, even where that is the first to draw from it.
        _ = Generator.Default;
        var execution = Execution.Current;
        var isOff = execution.NoGrad.IsOn;
        Arena.Assume(() => Execution.Current.NoGrad.IsOn == isOff, "whether NoGrad is on");
        (execution.Arena, execution.Journal, execution.IsRecording) = (Arena, journal, true);
        try
        {
            for (var i = 0; i < inputs.Length; i++)
                (callers[i], Inputs[i]) = (inputs[i].Storage, StandIn(inputs[i]));
            using (Backend.Observe(Execute))
            {
                Results = [.. Apply(function).Select(Result)];
                Gradients = [.. journal.Changed.Select(Gradient)];
            }
            (SwitchRestorers, GradientWrites) = (Arena.SwitchRestorers(), [.. journal.Writes]);
            journal.Commit();
        }
        catch (CaptureException)
        {
            execution.Journal = null;
            Arena.IsComputing = true;
            Undo();
            journal.Undo();
            Arena.RestoreSwitches();
            throw;
        }
        catch
        {
            execution.Journal = null;
            Arena.IsComputing = true;
            KeepGradients();
            throw;
        }
        finally
        {
            (execution.Journal, execution.IsRecording) = (null, false);
            Arena.Seal();
        }
    }

    /// <summary>Owns what was made.</summary>
    internal Arena Arena { get; } = new() { Cause = () => Execution.Current.Cause?.Op };

    /// <summary>What was computed, in order.</summary>
    internal List<PrimitiveCall> Calls { get; } = [];

    /// <summary>What an operation touched that was there before, parameters and running means among it.</summary>
    internal HashSet<Storage> Foreign { get; } = [];

    /// <summary>Which of it was written.</summary>
    internal IEnumerable<Storage> Written => overwritten.Keys.Where(Foreign.Contains);

    /// <summary>Stand for the inputs; see <see cref="Resolve"/>.</summary>
    internal Tensor[] Inputs { get; }

    /// <summary>What the function returned, resolved.</summary>
    internal Tensor[] Results { get; }

    /// <summary>Leaves whose gradient was set or cleared, and which it is in the end, resolved.</summary>
    internal (Tensor Leaf, Tensor? Gradient, bool IsOwn)[] Gradients { get; }

    /// <summary>When gradients were set and cleared: before which call, and to what, unresolved.</summary>
    internal (int At, Tensor Leaf, Tensor? Gradient)[] GradientWrites { get; }

    /// <summary>Turns what the function left otherwise than it was: whether leaves require gradients, modes.</summary>
    internal Action[] SwitchRestorers { get; }

    /// <summary>
    /// Bytes of the buffers that the function made and the plan goes on with, besides those it places.
    /// </summary>
    internal long OwnBytes { get; private set; }

    /// <summary>The same tensor over a storage that nothing can recycle.</summary>
    internal Tensor Resolve(Tensor tensor) => tensor.Over(aliases[tensor.Storage], tensor.Offset);

    /// <summary>Whether a tensor's memory is that of a resolved one.</summary>
    internal bool IsOver(Tensor tensor, Tensor resolved) =>
        tensor.Storage == resolved.Storage || aliases.GetValueOrDefault(tensor.Storage) == resolved.Storage;

    /// <summary>Whether a storage came from the pool and went back to it: the plan has to place it.</summary>
    internal bool IsUnplaced(Storage storage) =>
        storage.IsPooled && Arena.IsMade(storage) && !aliases.ContainsKey(storage);

    /// <summary>Says where in the plan's memory such a storage lies.</summary>
    internal void Place(Storage storage, Storage place) => aliases.Add(storage, place);

    // A refusal on another thread, where it happens, comes wrapped.
    private Tensor[] Apply(Func<Tensor[], Tensor[]> function)
    {
        try
        {
            return function([.. Inputs]);
        }
        catch (AggregateException error)
        {
            if (error.Flatten().InnerExceptions.OfType<CaptureException>().FirstOrDefault() is not { } refusal) throw;
            throw new CaptureException(refusal.Reason);
        }
    }

    private Tensor StandIn(Tensor input)
    {
        var own = Tensor.Empty(input.Shape, input.DType);
        own.Storage.IsKept = true;
        ResolveOwn(own);
        Arena.IsComputing = true;
        Backend.Run(new Copy(), input, own);
        Arena.IsComputing = false;
        return own;
    }

    private static void RequireHere(string what, Storage storage)
    {
        if (storage.Device != Device.Cpu)
            Arena.Refuse($"{what} is on {storage.Device.Name}, and replays are the CPU's");
    }

    // What is not made by an operation of the function would not be there anew in a replay.
    private Tensor Result(Tensor result)
    {
        if (!Arena.IsMade(result.Storage) || Inputs.Any(input => input.Storage == result.Storage))
        {
            var copy = Tensor.Empty(result.Shape, result.DType);
            Backend.Run(new Copy(), result, copy);
            result = copy;
        }
        return ResolveOwn(result);
    }

    private (Tensor Leaf, Tensor? Gradient, bool IsOwn) Gradient(Tensor leaf)
    {
        if (leaf.PresentGrad is not { } gradient) return (leaf, null, leaf.OwnsGrad);
        if (gradient.Source is not null)
            Arena.Refuse($"the gradient of {leaf.Name ?? "a leaf"} {leaf.Shape} has a graph of its own (createGraph), "
                + "which a replay does not build; use Differentiation.Gradients for it");
        return (leaf, Arena.IsMade(gradient.Storage) ? ResolveOwn(gradient) : gradient, leaf.OwnsGrad);
    }

    // What comes in and out has memory of its own: it is there between replays.
    private Tensor ResolveOwn(Tensor tensor)
    {
        if (!aliases.ContainsKey(tensor.Storage)) aliases[tensor.Storage] = Own(tensor.Storage);
        return Resolve(tensor);
    }

    private Storage Own(Storage storage)
    {
        if (!Arena.IsMade(storage)) return storage.Alias();
        OwnBytes += storage.ByteLength;
        if (!storage.IsPooled) return storage.Alias();
        var own = Storage.Within(new Slab(storage.ByteLength), 0, storage.ByteLength);
        Arena.IsComputing = true;
        storage.Bytes.CopyTo(own.Bytes);
        Arena.IsComputing = false;
        return own;
    }

    private void Execute(PrimitiveCall call)
    {
        // Part of another's body, which a replay runs as a whole.
        if (Arena.IsComputing)
        {
            call.Run();
            return;
        }
        Arena.IsComputing = true;
        var firstOutput = call.Operands.Length - call.Outputs;
        for (var i = 0; i < call.Operands.Length; i++)
        {
            if (call.Operands[i]?.Storage is not { } storage) continue;
            RequireHere(call.Name, storage);
            // Made now, since it may be released later.
            if (!IsUnplaced(storage) && !aliases.ContainsKey(storage)) aliases[storage] = Own(storage);
            var isConstant = Arena.IsConstant(storage);
            if (IsForeign(storage)) NoteForeign(call, storage);
            if (isConstant && (i < firstOutput || call.IsInPlace)) readConstants.Add(storage);
            if (i < firstOutput) continue;
            CheckOutput(call, storage, isConstant);
            // What was there before, such as running means: a function that is refused later leaves it as it was.
            if (Foreign.Contains(storage) && !overwritten.ContainsKey(storage))
                overwritten[storage] = storage.Bytes.ToArray();
            // From here on it holds what a replay computes anew: the program must not read it.
            Arena.Guard(storage);
        }
        call.Run();
        Arena.IsComputing = false;
        call.Cause = Execution.Current.Cause;
        Calls.Add(call);
    }

    private void NoteForeign(PrimitiveCall call, Storage storage)
    {
        if (Arena.IsOfMeanwhile(storage))
            Arena.Refuse($"{NameOf(call)} takes a tensor that was made on another thread meanwhile, where it is not "
                + "recorded; compute it on this thread, or before the call");
        Foreign.Add(storage);
    }

    private void CheckOutput(PrimitiveCall call, Storage storage, bool isConstant)
    {
        if (callers.Contains(storage) || Inputs.Any(input => input.Storage == storage))
            Arena.Refuse($"{NameOf(call)} writes into an input, of which a replay has a copy; write into a .Clone() of "
                + "it");
        if (isConstant && call is PrimitiveCall<RandomNumbers>)
            Arena.Refuse("a Generator that is created inside is drawn from: the eager function draws the same "
                + "numbers each time, and a replay would go on; make the generator outside");
        if (readConstants.Contains(storage))
            Arena.Refuse($"{NameOf(call)} writes into a tensor of plain numbers that was read before, and a replay "
                + "would not begin with these numbers");
    }

    private static string NameOf(PrimitiveCall call) => Execution.Current.Cause?.Op ?? call.Name;

    // Others may have drawn from a stream meanwhile, and no number is drawn twice: what they took stays drawn.
    private void Undo()
    {
        foreach (var draws in Calls.OfType<PrimitiveCall<RandomNumbers>>().GroupBy(call => call.Operands[1]!.Storage))
            if (overwritten.Remove(draws.Key, out var state))
                Generator.Undo(draws.First().Operands[1]!, state, draws.Select(call => call.Operands[0]!.Length));
        foreach (var (storage, bytes) in overwritten) bytes.CopyTo(storage.Bytes);
        foreach (var call in Enumerable.Reverse(Calls)) call.Undo();
    }

    // The function failed, as it would have eagerly; what it had done stays done.
    private void KeepGradients()
    {
        foreach (var leaf in journal.Changed)
            if (leaf.PresentGrad is { } gradient && Arena.IsMade(gradient.Storage))
                leaf.SetGrad(gradient.Over(Own(gradient.Storage), gradient.Offset), leaf.OwnsGrad);
        journal.Commit();
    }

    private bool IsForeign(Storage storage) => !Arena.IsMade(storage) && !Arena.IsConstant(storage);
}
