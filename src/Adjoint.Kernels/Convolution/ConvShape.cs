namespace Adjoint.Kernels;

/// <summary>
/// The sizes of a two-dimensional convolution: x (Samples, Channels, Height, Width), w (Filters, Channels / Groups, KernelHeight, KernelWidth),
/// y (Samples, Filters, OutHeight, OutWidth).
/// </summary>
public readonly record struct ConvShape(
    int Samples, int Channels, int Height, int Width, int Filters, int KernelHeight, int KernelWidth,
    int StrideHeight, int StrideWidth, int PadHeight, int PadWidth, int DilationHeight, int DilationWidth, int Groups)
{
    /// <summary>⌊(H + 2p − d·(k − 1) − 1) / s⌋ + 1.</summary>
    public int OutHeight =>
        (int)((Height + 2L * PadHeight - (long)DilationHeight * (KernelHeight - 1) - 1) / StrideHeight + 1);

    /// <summary>⌊(W + 2p − d·(k − 1) − 1) / s⌋ + 1.</summary>
    public int OutWidth =>
        (int)((Width + 2L * PadWidth - (long)DilationWidth * (KernelWidth - 1) - 1) / StrideWidth + 1);

    internal int Positions => OutHeight * OutWidth;
    internal int GroupChannels => Channels / Groups;
    internal int GroupFilters => Filters / Groups;
    internal int Taps => GroupChannels * KernelHeight * KernelWidth;
}
