using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>Which of the three computations of a convolution.</summary>
internal enum ConvDirection
{
    /// <summary>y from x and w.</summary>
    Forward,

    /// <summary>∂L/∂x from g = ∂L/∂y and w.</summary>
    DataGradient,

    /// <summary>∂L/∂w from x and g = ∂L/∂y.</summary>
    WeightGradient,
}

/// <summary>One way to compute a convolution, or one of its gradients, of elements T: a row of a list.</summary>
internal abstract unsafe class ConvAlgorithm<T>(string name) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>
    /// Taps that an algorithm may add one after another; sums of more of them lose digits, and are left to algorithms
    /// that add block by block.
    /// </summary>
    protected const int MaxTaps = 1 << 15;

    /// <summary>The name in the field, by which tests and benchmarks force it.</summary>
    internal string Name => name;

    /// <summary>Elements of the machine's widest vector.</summary>
    protected static int Lanes => Math.Max(1, Simd.Width / (8 * sizeof(T)));

    /// <summary>Whether it computes this shape on this machine.</summary>
    internal abstract bool Supports(in ConvShape shape);

    /// <summary>
    /// Whether, on a shape that it supports, it was measured to be faster than those after it in the list.
    /// </summary>
    internal abstract bool IsPreferred(in ConvShape shape);

    /// <summary>Whether it supports the shape and is preferred for it.</summary>
    internal virtual bool Suits(in ConvShape shape) => Supports(shape) && IsPreferred(shape);

    /// <summary>Bytes of scratch memory that it takes on one thread, of a shape that it supports.</summary>
    internal abstract nint ScratchBytes(in ConvShape shape);

    /// <summary>
    /// Forward: y from x, w and, unless null, bias. Data gradient: ∂L/∂x from g and w. Weight gradient: ∂L/∂w from x
    /// and g.
    /// </summary>
    internal abstract void Run(in ConvShape shape, T* input, T* other, T* bias, T* output);

    /// <summary>Whether vectors of filters are filled well enough to be worth it.</summary>
    protected static bool FillsVectors(int filters)
    {
        const double MinFill = 0.7;
        return filters >= MinFill * ((filters + Lanes - 1) / Lanes * Lanes);
    }
}

/// <summary>An algorithm for forward and data gradient alike: see <see cref="CorrelationShape"/>.</summary>
internal abstract unsafe class CorrelationAlgorithm<T>(string name, ConvDirection direction) : ConvAlgorithm<T>(name)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly bool isDataGradient = direction == ConvDirection.DataGradient;

    internal sealed override bool Supports(in ConvShape shape) => Supports(new(shape, isDataGradient));

    internal sealed override bool IsPreferred(in ConvShape shape) => IsPreferred(new(shape, isDataGradient));

    // The sizes are worked out once: small convolutions take less than a microsecond.
    internal sealed override bool Suits(in ConvShape shape)
    {
        var correlation = new CorrelationShape(shape, isDataGradient);
        return Supports(correlation) && IsPreferred(correlation);
    }

    internal sealed override nint ScratchBytes(in ConvShape shape)
    {
        var correlation = new CorrelationShape(shape, isDataGradient);
        var rotated = isDataGradient ? correlation.WeightCount : 0;
        return (rotated + ScratchElements(correlation)) * sizeof(T);
    }

    internal sealed override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output)
    {
        var correlation = new CorrelationShape(shape, isDataGradient);
        if (!isDataGradient)
        {
            Run(correlation, input, other, bias, output);
            return;
        }
        using var rotated = Scratch.Rent<T>(ScratchSlot.Filters, correlation.WeightCount);
        correlation.Rotate(other, rotated.Pointer);
        Run(correlation, input, rotated.Pointer, null, output);
    }

    /// <inheritdoc cref="ConvAlgorithm{T}.Supports"/>
    protected abstract bool Supports(in CorrelationShape shape);

    /// <inheritdoc cref="ConvAlgorithm{T}.IsPreferred"/>
    protected abstract bool IsPreferred(in CorrelationShape shape);

    /// <summary>Elements of scratch memory on one thread.</summary>
    protected abstract nint ScratchElements(in CorrelationShape shape);

    /// <summary>y from x and w; bias may be null.</summary>
    protected abstract void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y);
}
