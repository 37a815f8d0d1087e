namespace Adjoint;

/// <summary>What a captured function returns, as an array and back.</summary>
internal static class CapturedResults<TResult>
{
    /// <exception cref="AdjointException">It is no tensor, tuple or array of tensors.</exception>
    internal static void Require()
    {
        if (typeof(TResult) == typeof(Tensor) || typeof(TResult) == typeof(Tensor[])
            || typeof(TResult) == typeof((Tensor, Tensor)) || typeof(TResult) == typeof((Tensor, Tensor, Tensor))
            || typeof(TResult) == typeof((Tensor, Tensor, Tensor, Tensor))) return;
        throw new AdjointException(
            "CapturedFunction: it returns a tensor, a tuple of two to four, or an array of tensors: found "
            + $"{typeof(TResult).Name}; numbers come out as tensors without axes, read with .Item() afterwards");
    }

    /// <exception cref="AdjointException">A tensor is null.</exception>
    internal static Tensor[] ToArray(TResult result)
    {
        var all = result switch
        {
            Tensor one => [one],
            ValueTuple<Tensor, Tensor> two => [two.Item1, two.Item2],
            ValueTuple<Tensor, Tensor, Tensor> three => [three.Item1, three.Item2, three.Item3],
            ValueTuple<Tensor, Tensor, Tensor, Tensor> four => [four.Item1, four.Item2, four.Item3, four.Item4],
            _ => result as Tensor[],
        };
        return all is not null && Array.IndexOf(all, null) < 0 ? all : throw new AdjointException(
            "CapturedFunction: it returned null instead of a tensor; return an array of the tensors that exist");
    }

    internal static TResult FromArray(Tensor[] all) => (TResult)(
        typeof(TResult) == typeof(Tensor) ? all[0]
        : typeof(TResult) == typeof(Tensor[]) ? all
        : all.Length == 2 ? (object)(all[0], all[1])
        : all.Length == 3 ? (all[0], all[1], all[2])
        : (all[0], all[1], all[2], all[3]));
}
