using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = the next numbers of a random stream, which advances when this runs, not when it is recorded: a replay draws what
/// the eager step would have drawn. Operands: y, contiguous, of floating type; state (3), int64, contiguous: seed,
/// stream and position, of which the position is read and advanced by y's length, rounded up to a multiple of 8. Both
/// are written. Half precisions round the numbers of float32: normal ones to the nearest, uniform ones down, since 1
/// must not occur.
/// </summary>
/// <param name="Distribution">The distribution of the numbers.</param>
/// <param name="Probability">
/// The probability of 1 under <see cref="Distribution.Bernoulli"/>, in [0, 1]; ignored under others.
/// </param>
public readonly record struct RandomNumbers(Distribution Distribution, double Probability = 0)
    : IFloatingPrimitive<RandomNumbers>
{
    /// <inheritdoc/>
    public static string Name => "Random";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in RandomNumbers primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Result(Name, operands[0]!);
        Operands.HasContiguous(Name, "state", operands[1]!, DType.Int64, Generator.StateLength);
        if (primitive.Distribution is not (Distribution.Uniform or Distribution.Normal or Distribution.Bernoulli))
            throw new AdjointException(
                $"{Name}: there is no distribution {(int)primitive.Distribution}; use Uniform, Normal or Bernoulli");
        if (primitive.Probability is not (>= 0 and <= 1))
            throw new AdjointException(
                $"{Name}: the probability must be in [0, 1]: found {primitive.Probability}");
    }

    // Bits of a float32 that the type in memory does not have.
    private int Dropped { get; init; }

    /// <inheritdoc/>
    public static void RunOnCpu(in RandomNumbers primitive, ReadOnlySpan<Tensor?> operands)
    {
        var dropped = operands[0]!.DType switch
        {
            DType.BFloat16 => 16,
            DType.Float16 => 13,
            DType.Float32 or DType.Float64 => 0,
            var other => throw Operands.NoBody(Name, other),
        };
        FloatingPrimitive.Run(primitive with { Dropped = dropped }, operands);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in RandomNumbers primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (y, state) = (operands[0]!, operands[1]!);
        var first = Generator.Advance(state, y.Length);
        var (seed, stream) = Generator.KeyOf(state);
        fixed (T* to = y.Data<T>())
            switch (primitive.Distribution)
            {
                case Distribution.Uniform:
                    Philox.Uniform(seed, stream, first, to, y.Length);
                    if (primitive.Dropped > 0) RoundDown(new Span<uint>(to, y.Length), primitive.Dropped);
                    break;
                case Distribution.Normal: Philox.Normal(seed, stream, first, to, y.Length); break;
                case Distribution.Bernoulli:
                    Philox.Bernoulli(seed, stream, first, to, y.Length, primitive.Probability);
                    break;
            }
    }

    // Numbers of float32, not below 0.
    private static void RoundDown(Span<uint> numbers, int dropped)
    {
        foreach (ref var number in numbers) number &= uint.MaxValue << dropped;
    }
}
