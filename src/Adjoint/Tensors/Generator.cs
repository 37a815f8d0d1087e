using Adjoint.Kernels;

namespace Adjoint;

/// <summary>
/// A stream of random numbers: Philox4x32-10 (Salmon et al., 2011), counter-based, so that any thread can compute any
/// element and the numbers do not depend on the thread count. The whole state is <see cref="Seed"/> and <see
/// cref="Position"/>. Threads may share one: no number is drawn twice; which of them gets which is then a matter of
/// chance, so give each work of its own a <see cref="Fork"/>.
/// </summary>
public sealed class Generator
{
    private static Generator shared = new(0);
    private ulong position;

    /// <summary>A stream that starts at the beginning.</summary>
    public Generator(ulong seed, ulong stream = 0) => (Seed, Stream) = (seed, stream);

    /// <summary>
    /// The stream for calls that name none: one for the whole process, seeded with 0 unless replaced.
    /// </summary>
    public static Generator Default
    {
        get => Volatile.Read(ref shared);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Volatile.Write(ref shared, value);
        }
    }

    /// <summary>The seed.</summary>
    public ulong Seed { get; }

    /// <summary>Which of the 2⁶⁴ independent streams of the seed.</summary>
    public ulong Stream { get; }

    /// <summary>How many numbers were drawn.</summary>
    public ulong Position
    {
        get => Volatile.Read(ref position);
        set => Volatile.Write(ref position, value);
    }

    /// <summary>An independent stream of the same seed, by number.</summary>
    public Generator Fork(ulong stream) => new(Seed, Stream * 0x9E3779B97F4A7C15 + stream + 1);

    /// <summary>A random order of 0 … <paramref name="count"/> − 1.</summary>
    /// <exception cref="AdjointException">The count is negative, or more than an array holds.</exception>
    public int[] Permutation(int count)
    {
        if (count < 0 || count > Array.MaxLength)
            throw new AdjointException($"Permutation: a count from 0 to {Array.MaxLength} is needed: found {count}");
        RefuseCapture();
        var order = new int[count];
        // A permutation draws from a stream of its own, so that its length does not shift what follows.
        Philox.Permutation(Seed, Stream ^ (0xA5A5_0000_0000_0000 + Advance(1)), order);
        return order;
    }

    internal unsafe void FillUniform(Tensor tensor)
    {
        Check(tensor);
        if (tensor.DType == DType.Float32)
            fixed (float* y = tensor.Data<float>()) Philox.Uniform(Seed, Stream, Advance(tensor.Length), y, tensor.Length);
        else
            fixed (double* y = tensor.Data<double>()) Philox.Uniform(Seed, Stream, Advance(tensor.Length), y, tensor.Length);
    }

    internal unsafe void FillNormal(Tensor tensor)
    {
        Check(tensor);
        if (tensor.DType == DType.Float32)
            fixed (float* y = tensor.Data<float>()) Philox.Normal(Seed, Stream, Advance(tensor.Length), y, tensor.Length);
        else
            fixed (double* y = tensor.Data<double>()) Philox.Normal(Seed, Stream, Advance(tensor.Length), y, tensor.Length);
    }

    internal unsafe void FillBernoulli(Tensor tensor, double probability)
    {
        Check(tensor);
        if (tensor.DType == DType.Float32)
            fixed (float* y = tensor.Data<float>()) Philox.Bernoulli(Seed, Stream, Advance(tensor.Length), y, tensor.Length, probability);
        else
            fixed (double* y = tensor.Data<double>()) Philox.Bernoulli(Seed, Stream, Advance(tensor.Length), y, tensor.Length, probability);
    }

    private static void RefuseCapture()
    {
        if (Execution.Current.Arena is not null) Memory.Arena.Refuse("random numbers are drawn, and a replay would repeat them");
    }

    private static void Check(Tensor tensor)
    {
        RefuseCapture();
        if (!tensor.DType.IsFloating())
            throw new AdjointException(
                $"Random numbers: a floating type is needed: found {tensor.DType.Label()}; cast with "
                + ".To(DType.Float32)");
    }

    // Each draw starts at a multiple of 8, whole counters of every distribution and type.
    private ulong Advance(int count)
    {
        var whole = ((ulong)count + 7) / 8 * 8;
        return Interlocked.Add(ref position, whole) - whole;
    }
}
