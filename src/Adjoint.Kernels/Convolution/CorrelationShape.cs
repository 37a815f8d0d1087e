using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// What forward and data gradient have in common. Both are correlations y[n, k, i, j] = Σ over c, r, s of
/// image[n, c, i·stride + r·dilation, j·stride + s·dilation] · w[k, c, r, s] over a <see cref="PaddedImage"/>. The data
/// gradient reads g = ∂L/∂y, dilated by the stride (a transposed convolution), at stride 1; its filters are the
/// channels of the forward, and its weights the forward's, rotated by half a turn.
/// </summary>
internal readonly unsafe struct CorrelationShape(in ConvShape conv, bool isDataGradient)
{
    private readonly ConvShape conv = conv;

    /// <summary>N.</summary>
    internal int Samples { get; } = conv.Samples;

    /// <summary>Groups, each with its own filters and channels.</summary>
    internal int Groups { get; } = conv.Groups;

    /// <summary>Filters of a group.</summary>
    internal int Filters { get; } = isDataGradient ? conv.GroupChannels : conv.GroupFilters;

    /// <summary>Channels of a group.</summary>
    internal int Channels { get; } = isDataGradient ? conv.GroupFilters : conv.GroupChannels;

    /// <summary>Rows of a result.</summary>
    internal int OutHeight { get; } = isDataGradient ? conv.Height : conv.OutHeight;

    /// <summary>Columns of a result.</summary>
    internal int OutWidth { get; } = isDataGradient ? conv.Width : conv.OutWidth;

    /// <summary>Elements of one sample and group of the input.</summary>
    internal nint SampleLength { get; } = isDataGradient
        ? (nint)conv.GroupFilters * conv.Positions
        : (nint)conv.GroupChannels * conv.Height * conv.Width;

    /// <summary>Weights of one filter.</summary>
    internal int Taps => Channels * conv.KernelHeight * conv.KernelWidth;

    /// <summary>Results of one filter over one sample.</summary>
    internal int Positions => OutHeight * OutWidth;

    /// <summary>Whether there is nothing to compute.</summary>
    internal bool IsEmpty => Samples == 0 || Filters == 0 || Positions == 0;

    /// <summary>Weights of all filters.</summary>
    internal nint WeightCount => (nint)Groups * Filters * Taps;

    /// <exception cref="ScratchLimitException">One padded image does not fit a scratch buffer.</exception>
    internal PaddedImage Image() => isDataGradient ? PaddedImage.OfGradient(conv) : PaddedImage.OfInput(conv);

    /// <summary>to[c, k, R − 1 − r, S − 1 − s] = w[k, c, r, s] in each group: the data gradient's filters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Rotate<T>(T* w, T* to) where T : unmanaged
    {
        var kernel = conv.KernelHeight * conv.KernelWidth;
        for (nint group = 0; group < Groups; group++)
            for (nint k = 0; k < Channels; k++)
                for (nint c = 0; c < Filters; c++)
                {
                    var source = w + ((group * Channels + k) * Filters + c) * kernel;
                    var target = to + (group * Filters + c) * Taps + k * kernel;
                    for (var tap = 0; tap < kernel; tap++) target[tap] = source[kernel - 1 - tap];
                }
    }

    /// <summary>
    /// Packs filters for micro-kernels of <paramref name="rows"/> filters: to[group][tile][tap][row], with zeros for
    /// rows beyond the last filter. From tile to tile lie <paramref name="tileLength"/> elements.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Pack<T>(T* w, int rows, nint tileLength, T* to) where T : unmanaged
    {
        for (nint group = 0; group < Groups; group++)
            for (var first = 0; first < Filters; first += rows, to += tileLength)
                Packing.Panel(
                    w + (group * Filters + first) * Taps, Taps, true, Math.Min(rows, Filters - first), rows, Taps, to);
    }
}
