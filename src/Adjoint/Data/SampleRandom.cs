using System.Globalization;
using Adjoint.Kernels;

namespace Adjoint.Data;

/// <summary>
/// Random numbers for one transform of one sample in one epoch. They depend on these and the seed alone (Philox, see
/// <see cref="Generator"/>), not on batches, threads or other samples.
/// </summary>
/// <param name="seed">The seed of the data loader.</param>
/// <param name="epoch">The number of the pass over the data, from 0.</param>
/// <param name="sample">The position of the sample in the data set.</param>
/// <param name="transform">The position of the transform among the loader's.</param>
public struct SampleRandom(ulong seed, int epoch, int sample, int transform)
{
    /// <summary>The first number of the transforms of whole batches, apart from those of samples.</summary>
    internal const int OfBatches = 0x8000;

    /// <summary>The number of what samplers draw, apart from those of transforms.</summary>
    internal const int OfSamplers = 0xC000;

    /// <summary>The number of what streams draw from their buffers.</summary>
    internal const int OfStreams = 0xC001;

    /// <summary>The number of what formal languages draw, apart from those of transforms.</summary>
    internal const int OfLanguages = 0xC002;

    private uint drawn;

    /// <summary>The number of the pass over the data, from 0.</summary>
    public readonly int Epoch => epoch;

    /// <summary>A uniformly random integer from 0 to <paramref name="bound"/> − 1.</summary>
    /// <param name="bound">The number of possible values, 1 or more.</param>
    /// <returns>The integer that was drawn.</returns>
    public int Next(int bound) => (int)((ulong)Block(drawn++, (uint)epoch).X0 * (uint)bound >> 32);

    /// <summary>A uniformly random number in [0, 1), of 53 random bits.</summary>
    /// <returns>The number that was drawn.</returns>
    public double Uniform()
    {
        var (x0, x1, _, _) = Block(drawn++, (uint)epoch);
        return Fraction(x0, x1);
    }

    /// <summary>A uniformly random number in [low, high).</summary>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end.</param>
    /// <returns>The number that was drawn.</returns>
    public double Uniform(double low, double high) => low + (high - low) * Uniform();

    /// <summary>A normally distributed number of mean 0 and variance 1 (Box and Muller 1958).</summary>
    /// <returns>The number that was drawn.</returns>
    public double Normal()
    {
        var (x0, x1, x2, x3) = Block(drawn++, (uint)epoch);
        // 1 − u is in (0, 1]: its logarithm is finite.
        return Math.Sqrt(-2 * Math.Log(1 - Fraction(x0, x1))) * Math.Cos(Math.Tau * Fraction(x2, x3));
    }

    /// <summary>
    /// A number of the beta distribution, of density ∝ x^(a − 1)·(1 − x)^(b − 1) on [0, 1]: X / (X + Y) of two gamma
    /// variates. Computed in logarithms, so that small parameters, where both underflow, are right too.
    /// </summary>
    /// <param name="a">The first parameter, positive.</param>
    /// <param name="b">The second parameter, positive.</param>
    /// <returns>The number that was drawn.</returns>
    /// <exception cref="AdjointException">A parameter is not positive and finite.</exception>
    public double Beta(double a, double b)
    {
        if (!(a > 0 && b > 0 && double.IsFinite(a) && double.IsFinite(b)))
            throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                $"SampleRandom: the parameters of a beta distribution must be positive and finite: found {a} and {b}"));
        var (x, y) = (LogGamma(a), LogGamma(b));
        return 1 / (1 + Math.Exp(y - x));
    }

    // The logarithm of a gamma variate of scale 1 (Marsaglia and Tsang 2000): d·(1 + c·z)³ is accepted by comparing
    // with the density; below shape 1, one of shape a + 1 times u^(1/a).
    private double LogGamma(double shape)
    {
        var boost = shape < 1 ? Math.Log(1 - Uniform()) / shape : 0;
        var d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var z = Normal();
            var v = 1 + c * z;
            if (v <= 0) continue;
            var logV = 3 * Math.Log(v);
            if (Math.Log(1 - Uniform()) < 0.5 * z * z + d * (1 - Math.Exp(logV) + logV))
                return Math.Log(d) + logV + boost;
        }
    }

    /// <summary>A random bit of the sample, the same in each epoch.</summary>
    /// <returns>True with probability ½.</returns>
    public readonly bool SampleCoin() => (Block(0, uint.MaxValue).X0 & 1) == 1;

    // The tag keeps these counters apart from those of other streams of the same seed.
    private readonly (uint X0, uint X1, uint X2, uint X3) Block(uint number, uint when) =>
        Philox.Block(number, (uint)sample, when, 0xDA7A_0000 + (uint)transform, (uint)seed, (uint)(seed >> 32));

    private static double Fraction(uint high, uint low) => (((ulong)high << 32 | low) >> 11) * (1.0 / (1ul << 53));
}
