using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The algorithms, in the order in which they are asked: the first that supports a shape and is preferred for it runs.
/// The last of each list takes everything.
/// </summary>
internal static class ConvAlgorithms<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static readonly ConvAlgorithm<T>[] Forward =
    [
        new Winograd4x4<T>(ConvDirection.Forward),
        new DirectFilters<T>(ConvDirection.Forward),
        new DirectRowPairs<T>(ConvDirection.Forward),
        new DirectRows<T>(ConvDirection.Forward),
        new ImplicitGemm<T>(ConvDirection.Forward),
    ];

    private static readonly ConvAlgorithm<T>[] DataGradient =
    [
        new Winograd4x4<T>(ConvDirection.DataGradient),
        new DirectFlatDataGradient<T>(),
        new DirectFilters<T>(ConvDirection.DataGradient),
        new DirectRowPairs<T>(ConvDirection.DataGradient),
        new DirectRows<T>(ConvDirection.DataGradient),
        new ImplicitGemm<T>(ConvDirection.DataGradient),
    ];

    private static readonly ConvAlgorithm<T>[] WeightGradient =
    [
        new SplitKWeightGradient<T>(),
        new Winograd3x3WeightGradient<T>(),
        new DirectFiltersWeightGradient<T>(),
        new DirectRowsWeightGradient<T>(),
        new ImplicitGemmWeightGradient<T>(),
    ];

    /// <summary>The list of a direction.</summary>
    internal static ReadOnlySpan<ConvAlgorithm<T>> For(ConvDirection direction) => direction switch
    {
        ConvDirection.Forward => Forward,
        ConvDirection.DataGradient => DataGradient,
        _ => WeightGradient,
    };

    /// <summary>The one that runs: the forced one, or the first that is preferred.</summary>
    /// <exception cref="InvalidOperationException">The forced one does not support the shape.</exception>
    internal static ConvAlgorithm<T> Choose(ConvDirection direction, in ConvShape shape)
    {
        var list = For(direction);
        return ForcedConvAlgorithm.Of(direction) is { } name ? Forced(name, direction, shape) : First(list, shape);
    }

    /// <summary>The first of a list that is preferred for the shape.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static ConvAlgorithm<T> First(ReadOnlySpan<ConvAlgorithm<T>> list, in ConvShape shape)
    {
        foreach (var algorithm in list[..^1])
            if (algorithm.Suits(shape)) return algorithm;
        return list[^1];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ConvAlgorithm<T> Forced(string name, ConvDirection direction, in ConvShape shape)
    {
        var supporting = new List<string>();
        foreach (var algorithm in For(direction))
        {
            if (!algorithm.Supports(shape)) continue;
            if (algorithm.Name == name) return algorithm;
            supporting.Add(algorithm.Name);
        }
        throw new InvalidOperationException(
            $"Convolution: the forced {direction} algorithm {name} does not support {typeof(T).Name} {shape} with "
                + $"{Simd.Width}-bit vectors; these do: {string.Join(", ", supporting)}");
    }
}

/// <summary>Overrides the choice on this thread, for tests and benchmarks, until disposed.</summary>
internal readonly ref struct ForcedConvAlgorithm
{
    [ThreadStatic] private static string?[]? names;

    private readonly ConvDirection direction;
    private readonly string? before;

    /// <summary>Forces an algorithm of a direction by its name.</summary>
    /// <exception cref="ArgumentException">The direction has no algorithm of this name.</exception>
    internal ForcedConvAlgorithm(ConvDirection direction, string name)
    {
        var known = ConvAlgorithms<float>.For(direction).ToArray().Select(algorithm => algorithm.Name).ToArray();
        if (!known.Contains(name))
            throw new ArgumentException(
                $"Convolution: {direction} has no algorithm {name}; it has {string.Join(", ", known)}", nameof(name));
        names ??= new string?[Enum.GetValues<ConvDirection>().Length];
        this.direction = direction;
        before = names[(int)direction];
        names[(int)direction] = name;
    }

    /// <summary>The name that is forced on this thread, or null.</summary>
    internal static string? Of(ConvDirection direction) => names?[(int)direction];

    /// <summary>Gives back the choice, or what was forced before.</summary>
    public void Dispose() => names![(int)direction] = before;
}
