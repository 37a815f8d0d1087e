using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>One run of a step under observation: its operations, the memory that they touched, what came out.</summary>
internal sealed class StepRecording
{
    private readonly HashSet<Storage> guarded;
    private readonly Storage[] inputs;
    private readonly HashSet<Storage> readConstants = [];
    private readonly Dictionary<Storage, byte[]> overwritten = [];
    private readonly Dictionary<Storage, Storage> aliases = [];

    /// <summary>Runs a step.</summary>
    /// <exception cref="CaptureException">Something cannot be replayed; memory from outside is as before.</exception>
    internal StepRecording(Func<Tensor, Tensor, Tensor> loss, Tensor[] parameters, Tensor x, Tensor y)
    {
        guarded = [.. parameters.Select(parameter => parameter.Storage)];
        inputs = [x.Storage, y.Storage];
        foreach (var parameter in parameters) parameter.ZeroGrad();
        // It is not made inside the step, even where that is the first to draw from it.
        _ = Generator.Default;
        Execution.Current.Arena = Arena;
        foreach (var storage in guarded) storage.Arena = Arena;
        try
        {
            (X, Y) = (Copy(x), Copy(y));
            foreach (var parameter in parameters) AssumeUnchanged(parameter);
            using (Backend.Observe(Execute))
            {
                var value = Apply(loss);
                if (value.Length != 1) Arena.Refuse($"the loss is {value.Shape}, not a single number");
                Differentiation.BackwardTo(value, parameters.ToHashSet());
                Loss = ResolveOwn(value);
            }
            Gradients = [.. parameters.Select(parameter => parameter.Grad is { } gradient ? ResolveOwn(gradient)
                : null)];
        }
        catch (CaptureException)
        {
            Arena.IsComputing = true;
            TakeBack();
            throw;
        }
        finally
        {
            foreach (var storage in guarded) storage.Arena = null;
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

    /// <summary>Stands for the inputs; see <see cref="Resolve"/>.</summary>
    internal Tensor X { get; }

    /// <summary>Stands for the labels.</summary>
    internal Tensor Y { get; }

    /// <summary>What the step returned, resolved.</summary>
    internal Tensor Loss { get; }

    /// <summary>The gradient of each parameter, resolved, or null.</summary>
    internal Tensor?[] Gradients { get; }

    /// <summary>Bytes of the buffers that the step made and the plan goes on with, besides those it places.</summary>
    internal long OwnBytes { get; private set; }

    /// <summary>The same tensor over a storage that nothing can recycle.</summary>
    internal Tensor Resolve(Tensor tensor) => tensor.Over(aliases[tensor.Storage], tensor.Offset);

    /// <summary>Whether a storage came from the pool and went back to it: the plan has to place it.</summary>
    internal bool IsUnplaced(Storage storage) =>
        storage.IsPooled && IsMade(storage) && !aliases.ContainsKey(storage);

    /// <summary>Says where in the plan's memory such a storage lies.</summary>
    internal void Place(Storage storage, Storage place) => aliases.Add(storage, place);

    // A refusal on another thread, where it happens, comes wrapped.
    private Tensor Apply(Func<Tensor, Tensor, Tensor> loss)
    {
        try
        {
            return loss(X, Y);
        }
        catch (AggregateException error)
        {
            if (error.Flatten().InnerExceptions.OfType<CaptureException>().FirstOrDefault() is not { } refusal) throw;
            throw new CaptureException(refusal.Reason);
        }
    }

    private Tensor Copy(Tensor input)
    {
        RequireHere("an input", input.Storage);
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

    // What comes in and out has memory of its own: it is there between replays.
    private Tensor ResolveOwn(Tensor tensor)
    {
        if (!aliases.ContainsKey(tensor.Storage)) aliases[tensor.Storage] = Own(tensor.Storage);
        return Resolve(tensor);
    }

    private Storage Own(Storage storage)
    {
        if (!IsMade(storage)) return storage.Alias();
        OwnBytes += storage.ByteLength;
        if (!storage.IsPooled) return storage.Alias();
        var own = Storage.Within(new Slab(storage.ByteLength), 0, storage.ByteLength);
        Arena.IsComputing = true;
        storage.Bytes.CopyTo(own.Bytes);
        Arena.IsComputing = false;
        return own;
    }

    private void AssumeUnchanged(Tensor parameter)
    {
        var (requiresGrad, hooks) = (parameter.RequiresGrad, Hooks());
        Arena.Assume(() => parameter.RequiresGrad == requiresGrad && Hooks() == hooks);

        // New ones are added at the end.
        (int, Func<Tensor, Tensor?>?) Hooks() => parameter.Hooks is { Count: > 0 } all ? (all.Count, all[^1]) : default;
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
            if (IsForeign(storage)) Foreign.Add(storage);
            if (isConstant && (i < firstOutput || call.IsInPlace)) readConstants.Add(storage);
            if (i < firstOutput) continue;
            CheckOutput(call, storage, isConstant);
            // What was there before the step, such as running means: a step that is refused later leaves it as it was.
            if (Foreign.Contains(storage) && !overwritten.ContainsKey(storage))
                overwritten[storage] = storage.Bytes.ToArray();
            // From here on it holds what a replay computes anew: the program must not read it.
            if (storage.Arena != Arena)
            {
                guarded.Add(storage);
                storage.Arena = Arena;
            }
        }
        call.Run();
        Arena.IsComputing = false;
        Calls.Add(call);
    }

    private void CheckOutput(PrimitiveCall call, Storage storage, bool isConstant)
    {
        if (storage == X.Storage || storage == Y.Storage || inputs.Contains(storage))
            Arena.Refuse($"{NameOf(call)} writes into an input of the step, of which a replay has a copy; write into a "
                + ".Clone() of it");
        if (isConstant && call is PrimitiveCall<RandomNumbers>)
            Arena.Refuse("a Generator that is made inside the step is drawn from: the eager step draws the same "
                + "numbers each time, and a replay would go on; make the generator outside");
        if (readConstants.Contains(storage))
            Arena.Refuse($"{NameOf(call)} writes into a tensor of plain numbers that was read before, and a replay "
                + "would not begin with these numbers");
    }

    private static string NameOf(PrimitiveCall call) => Execution.Current.Cause?.Op ?? call.Name;

    // Others may have drawn from a stream meanwhile, and no number is drawn twice: what they took stays drawn.
    private void TakeBack()
    {
        foreach (var draws in Calls.OfType<PrimitiveCall<RandomNumbers>>().GroupBy(call => call.Operands[1]!.Storage))
        {
            overwritten.Remove(draws.Key, out var state);
            Generator.TakeBack(
                draws.First().Operands[1]!, state!, draws.Select(call => call.Operands[0]!.Length));
        }
        foreach (var (storage, bytes) in overwritten) bytes.CopyTo(storage.Bytes);
    }

    private bool IsMade(Storage storage) => storage.Arena == Arena && !guarded.Contains(storage);

    private bool IsForeign(Storage storage) => !IsMade(storage) && !Arena.IsConstant(storage);
}
