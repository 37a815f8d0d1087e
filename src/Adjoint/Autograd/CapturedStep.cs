using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// A training step that is recorded once and then replayed: forward and backward as a fixed list of operations over buffers that were placed once,
/// element-wise chains fused into one pass, no graph and no allocation. A replay gives the same bits as the eager step.
/// </summary>
/// <remarks>
/// The first call runs eagerly, the second records, later ones replay. Parameters are read when the step runs; any other
/// value that the function takes from outside is a constant. Gradients replace those of the call before: <c>ZeroGrad</c> is not needed.
/// </remarks>
public sealed class CapturedStep
{
    private readonly Func<Tensor, Tensor, Tensor> loss;
    private readonly Tensor[] parameters;
    private readonly bool fallBackToEager;
    private readonly List<Command> plan = [];
    private readonly List<(Tensor Parameter, Tensor Gradient)> gradients = [];
    private (Tensor X, Tensor Y, Tensor Loss)? ends;
    // Commands that read the inputs, and how: they read the caller's tensor where it lies, unless something keeps that from being as good as a copy.
    private readonly List<(Command Command, int Operand, Tensor View)> readers = [];
    private bool mustCopyInputs;
    private Arena? arena;
    private int calls;

    private CapturedStep(Func<Tensor, Tensor, Tensor> loss, Tensor[] parameters, bool fallBackToEager) =>
        (this.loss, this.parameters, this.fallBackToEager) = (loss, parameters, fallBackToEager);

    /// <summary>Prepares a step.</summary>
    /// <param name="loss">From inputs and labels to the loss, a scalar.</param>
    /// <param name="parameters">The leaves whose gradients are wanted.</param>
    /// <param name="fallBackToEager">Whether a step that cannot be captured, or a batch of another shape, runs eagerly instead of being refused.</param>
    public static CapturedStep Create(Func<Tensor, Tensor, Tensor> loss, IEnumerable<Tensor> parameters, bool fallBackToEager = false) => new(loss, [.. parameters], fallBackToEager);

    /// <summary>Whether calls replay a plan.</summary>
    public bool IsCaptured => ends is not null;

    /// <summary>Why the step runs eagerly, or null.</summary>
    public string? Refusal { get; private set; }

    /// <summary>How many operations a replay runs.</summary>
    public int Operations => plan.Count;

    /// <summary>Bytes of the buffers that the plan owns.</summary>
    public long PlannedBytes => arena?.Bytes ?? 0;

    /// <summary>Computes the loss and the parameters' gradients.</summary>
    /// <exception cref="CaptureException">The step cannot be captured, or the batch has another shape or type, and falling back is not allowed.</exception>
    public Tensor Run(Tensor x, Tensor y)
    {
        if (Refusal is not null || calls++ == 0) return Eager(x, y);
        if (ends is not { } own)
            try
            {
                // Recording computes too: what the step writes in place must be written once.
                own = Record(x, y);
                return Tensor.Scalar(own.Loss.Item(), own.Loss.DType);
            }
            catch (CaptureException error) when (fallBackToEager)
            {
                Refusal = error.Reason;
                return Eager(x, y);
            }
        if (x.Shape != own.X.Shape || y.Shape != own.Y.Shape || x.DType != own.X.DType || y.DType != own.Y.DType)
            return fallBackToEager ? Eager(x, y) : throw new CaptureException($"it was captured for {own.X.Shape} {own.X.DType.Label()} and {own.Y.Shape} {own.Y.DType.Label()}, and is called with {x.Shape} {x.DType.Label()} and {y.Shape} {y.DType.Label()}");
        var isRead = !mustCopyInputs && x.IsContiguous;
        if (!isRead) CpuBackend.Instance.Copy(x, own.X);
        foreach (var (command, operand, view) in readers) command.Operands[operand] = isRead ? new Tensor(x.Storage, view.Shape, view.DType, [.. view.Strides], view.Offset + x.Offset) : view;
        CpuBackend.Instance.Copy(y, own.Y);
        foreach (var command in plan) command.Run(CpuBackend.Instance);
        foreach (var (parameter, gradient) in gradients)
            if (parameter.Grad?.Storage != gradient.Storage) parameter.Grad = Alias(gradient);
        return Tensor.Scalar(own.Loss.Item(), own.Loss.DType);
    }

    private Tensor Eager(Tensor x, Tensor y)
    {
        foreach (var parameter in parameters) parameter.ZeroGrad();
        var value = loss(x, y);
        value.Backward();
        return value;
    }

    private (Tensor X, Tensor Y, Tensor Loss) Record(Tensor x, Tensor y)
    {
        var recorder = new Arena { Cause = () => Backend.Cause?.Op };
        var commands = new List<Command>();
        foreach (var parameter in parameters) parameter.ZeroGrad();
        Arena.Current = recorder;
        foreach (var parameter in parameters) parameter.Storage.Arena = recorder;
        var overwritten = new Dictionary<Storage, byte[]>();
        Tensor ownX, ownY, value;
        try
        {
            (ownX, ownY) = (Tensor.Empty(x.Shape, x.DType).Detach(), Tensor.Empty(y.Shape, y.DType).Detach());
            foreach (var own in (Tensor[])[ownX, ownY]) own.Storage.IsKept = true;
            recorder.IsComputing = true;
            CpuBackend.Instance.Copy(x, ownX);
            CpuBackend.Instance.Copy(y, ownY);
            recorder.IsComputing = false;
            using (Backend.Observe(Execute))
            {
                value = loss(ownX, ownY);
                if (value.Length != 1) Arena.Refuse($"the loss is {value.Shape}, not a single number");
                value.Backward();
            }
        }
        catch (CaptureException)
        {
            recorder.IsComputing = true;
            foreach (var (storage, bytes) in overwritten) bytes.CopyTo(storage.Bytes);
            throw;
        }
        finally
        {
            foreach (var parameter in parameters) parameter.Storage.Arena = null;
            recorder.Seal();
        }
        arena = recorder;
        // What the eager call used is of no more use.
        BufferPool.Trim();
        // The storages may have been recycled within the step by now: what is replayed looks at their bytes.
        ends = (ownX, ownY, Resolve(value));
        gradients.AddRange(parameters.Where(parameter => parameter.Grad is not null).Select(parameter => (parameter, Resolve(parameter.Grad!))));
        Plan(commands);
        return ends.Value;

        void Execute(Command command)
        {
            recorder.IsComputing = true;
            foreach (var operand in command.Operands)
                if (operand is not null) Remember(operand);
            // What was there before the step, such as running means: a step that is refused later must leave it as it was.
            foreach (var output in command.Operands[^command.Outputs..])
                if (output is not null && output.Storage.Arena != recorder && !overwritten.ContainsKey(output.Storage))
                    overwritten[output.Storage] = output.Storage.Bytes.ToArray();
            command.Run(CpuBackend.Instance);
            recorder.IsComputing = false;
            commands.Add(command);
        }
    }

    private readonly Dictionary<Storage, Storage> aliases = [];

    private void Remember(Tensor tensor)
    {
        if (!aliases.ContainsKey(tensor.Storage)) aliases[tensor.Storage] = tensor.Storage.Alias();
    }

    private Tensor Resolve(Tensor tensor)
    {
        if (!aliases.TryGetValue(tensor.Storage, out var storage)) aliases[tensor.Storage] = storage = tensor.Storage.Alias();
        return new Tensor(storage, tensor.Shape, tensor.DType, [.. tensor.Strides], tensor.Offset);
    }

    private static Tensor Alias(Tensor gradient)
    {
        gradient.Storage.IsKept = true;
        return gradient;
    }

    // Runs of element-wise operations become one; then every operand is replaced by a tensor that nothing can recycle.
    private void Plan(List<Command> commands)
    {
        var users = new Dictionary<Storage, int>();
        foreach (var command in commands)
            foreach (var storage in command.Operands.OfType<Tensor>().Select(operand => operand.Storage).Distinct())
                users[storage] = users.GetValueOrDefault(storage) + 1;
        var kept = gradients.Select(pair => pair.Gradient.Storage).Append(ends!.Value.Loss.Storage).ToHashSet();
        for (var i = 0; i < commands.Count;)
        {
            var next = i + 1;
            if (FusedCommand.CanFuse(commands[i]))
                while (next < commands.Count && FusedCommand.CanJoin(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(commands)[i..next], commands[next])) next++;
            if (next - i == 1)
            {
                for (var k = 0; k < commands[i].Operands.Length; k++)
                    if (commands[i].Operands[k] is { } operand)
                    {
                        commands[i].Operands[k] = Resolve(operand);
                        if (operand.Storage != ends.Value.X.Storage) continue;
                        readers.Add((commands[i], k, commands[i].Operands[k]!));
                        mustCopyInputs |= k >= commands[i].Operands.Length - commands[i].Outputs;
                    }
                plan.Add(commands[i]);
            }
            else
            {
                var group = commands[i..next].Cast<ElementwiseCommand>().ToArray();
                var fused = new FusedCommand(group, operand => IsPrivate(operand, group));
                mustCopyInputs |= fused.Operands.Any(operand => operand!.Storage == ends.Value.X.Storage);
                fused.Rebind(Resolve);
                plan.Add(fused);
            }
            i = next;
        }
        aliases.Clear();

        // Made in the group before it is read, and used nowhere else.
        bool IsPrivate(Tensor operand, ElementwiseCommand[] group)
        {
            var storage = operand.Storage;
            if (storage.Arena != arena || storage.IsKept || kept.Contains(aliases[storage]) || operand.Length * operand.DType.Size() != storage.ByteLength) return false;
            var inside = group.Count(command => command.Operands.Any(other => other!.Storage == storage));
            var first = group.First(command => command.Operands.Any(other => other!.Storage == storage));
            return inside == users[storage] && first.Operands[^1]!.Storage == storage && !first.Operands[..^1].Any(other => other!.Storage == storage);
        }
    }
}
