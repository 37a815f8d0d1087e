namespace Adjoint.Kernels;

/// <summary>
/// The sizes of a two-dimensional convolution of x (N, C, H, W) by w (K, C / Groups, R, S) to y (N, K, OutHeight,
/// OutWidth): N samples, C channels, K filters of R rows and S columns.
/// </summary>
public readonly record struct ConvShape(
    int Samples, int Channels, int Height, int Width, int Filters, int KernelHeight, int KernelWidth,
    int StrideHeight, int StrideWidth, int PadHeight, int PadWidth, int DilationHeight, int DilationWidth, int Groups)
{
    /// <summary>⌊(H + 2·pad − dilation·(R − 1) − 1) / stride⌋ + 1.</summary>
    public int OutHeight =>
        (int)((Height + 2L * PadHeight - (long)DilationHeight * (KernelHeight - 1) - 1) / StrideHeight + 1);

    /// <summary>⌊(W + 2·pad − dilation·(S − 1) − 1) / stride⌋ + 1.</summary>
    public int OutWidth =>
        (int)((Width + 2L * PadWidth - (long)DilationWidth * (KernelWidth - 1) - 1) / StrideWidth + 1);

    /// <summary>Outputs of one filter over one sample.</summary>
    internal int Positions => OutHeight * OutWidth;

    /// <summary>C / Groups.</summary>
    internal int GroupChannels => Channels / Groups;

    /// <summary>K / Groups.</summary>
    internal int GroupFilters => Filters / Groups;

    /// <summary>Weights of one filter: C / Groups · R · S.</summary>
    internal int Taps => GroupChannels * KernelHeight * KernelWidth;

    /// <summary>Whether neighboring outputs see neighboring inputs through neighboring taps.</summary>
    internal bool IsDense => this is { StrideHeight: 1, StrideWidth: 1, DilationHeight: 1, DilationWidth: 1 };
}
