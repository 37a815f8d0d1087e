namespace Adjoint.Fuzz;

/// <summary>Random choices, repeatable by their seed.</summary>
internal sealed class FuzzRandom(ulong seed)
{
    // SplitMix64 (Steele, Lea, Flood 2014): neighboring seeds give unrelated streams.
    private ulong state = seed * 0x9E3779B97F4A7C15;

    internal ulong Next()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 … count − 1.</summary>
    internal int Below(int count) => (int)(Next() % (ulong)count);

    /// <summary>low … high, both included.</summary>
    internal int Between(int low, int high) => low + Below(high - low + 1);

    /// <summary>True once in <paramref name="times"/> calls.</summary>
    internal bool Once(int times) => Below(times) == 0;

    internal T Pick<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    internal T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>Uniform in [−1, 1).</summary>
    internal double Signed() => (Next() >> 11) * (2.0 / (1ul << 53)) - 1;
}
