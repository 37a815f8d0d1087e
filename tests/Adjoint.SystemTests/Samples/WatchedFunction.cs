using System.Runtime.CompilerServices;

namespace Adjoint.SystemTests.Samples;

/// <summary>What the programs of the gallery find under the name <c>CapturedFunction</c>.</summary>
public abstract class WatchedFunction : IWatched
{
    public abstract int Plans { get; }

    public abstract int Operations { get; }

    public abstract string? Refusal { get; }

    public static WatchedFunction<T> Create<T>(Func<T> function) => new(_ => function(), function);

    public static WatchedFunction<T> Create<T>(Func<Tensor, T> function) => new(x => function(x[0]), function);

    public static WatchedFunction<T> Create<T>(Func<Tensor, Tensor, T> function) =>
        new(x => function(x[0], x[1]), function);

    public static WatchedFunction<T> Create<T>(Func<Tensor, Tensor, Tensor, T> function) =>
        new(x => function(x[0], x[1], x[2]), function);

    public static WatchedFunction<T> Create<T>(Func<Tensor, Tensor, Tensor, Tensor, T> function) =>
        new(x => function(x[0], x[1], x[2], x[3]), function);

    public static WatchedFunction<T> Create<T>(Func<Tensor[], T> function) => new(function, function);
}

/// <summary>A captured function, or the function itself, as the run in progress says, which notes each call.</summary>
public sealed class WatchedFunction<T> : WatchedFunction
{
    private readonly Watch watch = Watch.Current!;
    private readonly Func<Tensor[], T> function;
    private readonly CapturedFunction<T> captured;
    private readonly object? target;
    private readonly int number;
    private int calls;

    internal WatchedFunction(Func<Tensor[], T> function, Delegate own)
    {
        (this.function, target) = (function, own.Target);
        captured = CapturedFunction.Create(function);
        number = watch.Add(this);
    }

    public override int Plans => captured.Plans;

    public override int Operations => captured.Operations;

    public override string? Refusal => captured.Refusal;

    public T Run(params ReadOnlySpan<Tensor> given)
    {
        var result = Call(given);
        if (watch.WithHalves && ++calls % 3 == 0)
            Call([.. given.ToArray().Select(x => x.Rank == 0 ? x : x.Slice(0, 0, x.Shape[0] / 2).Clone())]);
        return result;
    }

    private T Call(ReadOnlySpan<Tensor> given)
    {
        var result = watch.IsCaptured ? captured.Run(given) : function(given.ToArray());
        watch.NoteCall(number, Tensors(result), target);
        return result;
    }

    private static IEnumerable<Tensor> Tensors(T result) => result switch
    {
        Tensor one => [one],
        IEnumerable<Tensor> all => all,
        ITuple tuple => Enumerable.Range(0, tuple.Length).Select(i => (Tensor)tuple[i]!),
        _ => throw new InvalidOperationException($"no tensors in {typeof(T)}"),
    };
}
