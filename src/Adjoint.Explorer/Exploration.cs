using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>The page asks for something that is not there, or not any more: one line for the reader.</summary>
internal sealed class NotThereException(string message) : AdjointException(message);

/// <summary>
/// What one page shows: a graph, fixed or of the step that a training is at. Answers are JSON. All work happens on one
/// thread, in turns with training steps.
/// </summary>
internal sealed class Exploration : IDisposable
{
    private readonly EngineThread? engine;
    private readonly LiveTraining? training;
    private readonly string title;
    private ComputationGraph? graph;
    private string version = "0";

    /// <summary>Of a graph that stays as it is.</summary>
    internal Exploration(ComputationGraph graph, string title, bool isServed = true)
    {
        (this.graph, this.title) = (graph, title);
        if (isServed) engine = new();
    }

    private Exploration(EngineThread engine, LiveTraining training)
    {
        (this.engine, this.training, title) = (engine, training, training.Task.Title);
        engine.Between = training.Advance;
    }

    /// <summary>Of a network that can be trained.</summary>
    /// <exception cref="AdjointException">The start does not fit the network.</exception>
    internal static Exploration Of(LiveTask task, IReadOnlyDictionary<string, Tensor>? start = null)
    {
        var engine = new EngineThread();
        try
        {
            var exploration = engine.Run(() =>
            {
                var made = new Exploration(engine, new LiveTraining(task, start));
                made.Refresh();
                return made;
            });
            return exploration.GetAwaiter().GetResult();
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    internal string Title => title;

    /// <summary>The graph; of a training, that of the step it is at now.</summary>
    internal byte[] Graph() => JsonNumbers.ToBytes(json =>
    {
        Refresh();
        GraphJson.Write(json, graph!, title, version, training?.Step);
    });

    /// <summary>A tensor's value, or the gradient that has arrived from so many of its users.</summary>
    internal byte[] Tensor(int id, string which, int? arrived) =>
        JsonNumbers.ToBytes(json => TensorView.Write(json, Shown(id, which, arrived)));

    /// <summary>More pictures of the same: feature maps, filters or images, from one on.</summary>
    internal byte[] Pictures(int id, string which, int? arrived, int from) => JsonNumbers.ToBytes(json =>
        TensorView.WritePictures(json, Shown(id, which, arrived), from));

    /// <summary>Which products an op's rule adds up to one element of what it gives an input.</summary>
    internal byte[] Rule(int op, int input, int element) =>
        JsonNumbers.ToBytes(json => RuleJson.Write(json, LocalRule.Backward(Op(op), input, element)));

    /// <summary>On what one element of an op's output depends.</summary>
    internal byte[] Parts(int op, int element) =>
        JsonNumbers.ToBytes(json => RuleJson.Write(json, LocalRule.Forward(Op(op), element)));

    /// <summary>An op's derivative, compared with finite differences at these values.</summary>
    internal byte[] Check(int op) =>
        JsonNumbers.ToBytes(json => RuleJson.Write(json, DerivativeCheck.Run(Op(op)), DerivativeCheck.Tolerance));

    /// <summary>Where training is; null where nothing can be trained.</summary>
    internal byte[]? State(int after, bool detailed) =>
        training is null ? null : JsonNumbers.ToBytes(json => TrainingJson.Write(json, training, after, detailed));

    /// <summary>Carries out an order of the page.</summary>
    /// <exception cref="AdjointException">The order is not understood, or a setting is out of range.</exception>
    internal void Order(JsonElement order)
    {
        if (training is null) throw new NotThereException("this page shows a fixed graph; train with: adjoint explore");
        if (order.ValueKind != JsonValueKind.Object)
            throw new AdjointException("an order is a JSON object, such as {\"action\": \"step\"}");
        // A rate that is given beside an optimizer is meant for it.
        foreach (var part in order.EnumerateObject().OrderBy(part => Valid(() => part.Name) == "learningRate"))
            switch (part.Name)
            {
                case "action": Act(Text(part), order); break;
                case "seed": break;
                case "learningRate": training.SetLearningRate(Real(part)); break;
                case "optimizer": training.SetOptimizer(Text(part)); break;
                case "activation": training.SetActivation(Text(part)); break;
                case "speed": training.Speed = Math.Max(0, Real(part)); break;
                default:
                    throw new AdjointException(
                    $"unknown order '{part.Name}'; use action, learningRate, optimizer, activation or speed");
            }
    }

    /// <summary>The whole as one page that needs no server.</summary>
    internal byte[] Offline() => OfflinePage.Create(this, graph!, title, version);

    /// <summary>Runs one of the methods above in its turn.</summary>
    internal Task<T> Run<T>(Func<Exploration, T> request) => engine is null
        ? Task.FromResult(request(this))
        : engine.Run(() => request(this));

    public void Dispose() => engine?.Dispose();

    private void Act(string action, JsonElement order)
    {
        switch (action)
        {
            case "play": training!.Play(); break;
            case "pause": training!.Pause(); break;
            case "step": training!.TakeStep(); break;
            case "epoch": training!.TakeEpoch(); break;
            case "reset": training!.Reset(Seed(order)); break;
            default: throw new AdjointException($"unknown action '{action}'; use play, pause, step, epoch or reset");
        }
    }

    private void Refresh()
    {
        if (training is null || graph is not null && version == training.Version) return;
        (graph, version) = (training.Snapshot(), training.Version);
    }

    private Tensor Shown(int id, string which, int? arrived)
    {
        var item = id >= 0 && id < graph!.Tensors.Count
            ? graph.Tensors[id]
            : throw new NotThereException($"there is no tensor {id}");
        return which == "value" ? item.Tensor : Gradient(item, arrived);
    }

    private OpItem Op(int id) => id >= 0 && id < graph!.Ops.Count
        ? graph.Ops[id]
        : throw new NotThereException($"there is no op {id}");

    private static Tensor Gradient(TensorItem item, int? arrived)
    {
        if (arrived is not { } count || count >= item.Contributions.Count)
            return item.Gradient ?? throw new NotThereException("no gradient arrives here");
        if (count < 1) throw new NotThereException("no gradient has arrived here yet");
        using var _ = new NoGrad();
        var sum = item.Contributions[0].Value;
        foreach (var contribution in item.Contributions.Take(count).Skip(1)) sum += contribution.Value;
        return sum;
    }

    private static string Text(JsonProperty part) => part.Value.ValueKind == JsonValueKind.String
        ? Valid(() => part.Value.GetString()!)
        : throw new AdjointException($"{part.Name}: a text is needed");

    // JSON can spell halves of surrogate pairs, which are no text.
    private static string Valid(Func<string> text)
    {
        try
        {
            return text();
        }
        catch (InvalidOperationException error)
        {
            throw new AdjointException("an order holds a text that is no valid Unicode: half a surrogate pair", error);
        }
    }

    private static double Real(JsonProperty part) =>
        part.Value.ValueKind == JsonValueKind.Number && part.Value.TryGetDouble(out var value)
            ? value
            : throw new AdjointException($"{part.Name}: a number is needed");

    private static ulong Seed(JsonElement order) =>
        order.TryGetProperty("seed", out var seed) && seed.ValueKind == JsonValueKind.Number
            && seed.TryGetUInt64(out var value)
            ? value
            : throw new AdjointException("reset: a seed is needed: a whole number from 0");
}
