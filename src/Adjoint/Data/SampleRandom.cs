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
    private uint drawn;

    /// <summary>The number of the pass over the data, from 0.</summary>
    public readonly int Epoch => epoch;

    /// <summary>A uniformly random integer from 0 to <paramref name="bound"/> − 1.</summary>
    /// <param name="bound">The number of possible values, 1 or more.</param>
    /// <returns>The integer that was drawn.</returns>
    public int Next(int bound) => (int)((ulong)Draw(drawn++, (uint)epoch) * (uint)bound >> 32);

    /// <summary>A random bit of the sample, the same in each epoch.</summary>
    /// <returns>True with probability ½.</returns>
    public readonly bool SampleCoin() => (Draw(0, uint.MaxValue) & 1) == 1;

    // The tag keeps these counters apart from those of other streams of the same seed.
    private readonly uint Draw(uint number, uint when) =>
        Philox.Block(number, (uint)sample, when, 0xDA7A_0000 + (uint)transform, (uint)seed, (uint)(seed >> 32)).X0;
}
