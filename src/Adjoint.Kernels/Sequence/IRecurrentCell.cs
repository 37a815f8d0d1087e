using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// What happens to one unit at one step, for a vector of sequences. A unit has a few sums, each of a gate's row of the
/// input weights, of the hidden weights, or of both; forward makes the state of them, and backward the sums' gradients.
/// </summary>
internal unsafe interface IRecurrentCell
{
    /// <summary>Rows of each weight matrix that belong to one unit.</summary>
    static abstract int Gates { get; }

    /// <summary>Sums of one unit.</summary>
    static abstract int Sums { get; }

    /// <summary>Numbers of one unit and step that backward needs.</summary>
    static abstract int Saved { get; }

    /// <summary>Whether there is a cell state beside the hidden one.</summary>
    static abstract bool HasCell { get; }

    /// <summary>The gate whose input weights a sum takes part in; −1 for none.</summary>
    static abstract int InputGate(int sum);

    /// <summary>The gate whose hidden weights a sum takes part in; −1 for none.</summary>
    static abstract int HiddenGate(int sum);

    /// <summary>The next hidden state; the cell state is replaced where the sequence goes on.</summary>
    /// <param name="sums">The sums, <paramref name="next"/> elements from one to the other.</param>
    /// <param name="next">Elements from sum to sum.</param>
    /// <param name="bias">One number for each sum.</param>
    /// <param name="hidden">The hidden state before.</param>
    /// <param name="cell">The cell state.</param>
    /// <param name="saved">What backward will need, or null.</param>
    /// <param name="columns">Elements from one saved number to the next.</param>
    /// <param name="isActive">A mask: where the sequence has not ended.</param>
    static abstract V Forward<V, T>(
        T* sums, nint next, T* bias, V hidden, T* cell, T* saved, nint columns, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged;

    /// <summary>
    /// Writes the gradients of the sums, 0 where the sequence has ended; the cell state's gradient is replaced where it
    /// has not. Returns what goes to the hidden state before past all sums.
    /// </summary>
    /// <param name="gradient">∂L/∂h′, 0 where the sequence has ended.</param>
    /// <param name="saved">What forward saved.</param>
    /// <param name="columns">Elements from one saved number to the next.</param>
    /// <param name="sums">The results, <paramref name="next"/> elements from one to the other.</param>
    /// <param name="next">Elements from sum to sum.</param>
    /// <param name="cell">∂L/∂c′, which becomes ∂L/∂c.</param>
    /// <param name="isActive">A mask: where the sequence has not ended.</param>
    static abstract V Backward<V, T>(
        V gradient, T* saved, nint columns, T* sums, nint next, T* cell, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged;
}

/// <summary>
/// i, f, o = σ(sums), g = tanh(sum): c′ = f·c + i·g, h′ = o·tanh(c′). Saves i, f, g, o, c and tanh(c′).
/// </summary>
internal readonly unsafe struct LstmCell : IRecurrentCell
{
    public static int Gates => 4;
    public static int Sums => 4;
    public static int Saved => 6;
    public static bool HasCell => true;
    public static int InputGate(int sum) => sum;
    public static int HiddenGate(int sum) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Forward<V, T>(
        T* sums, nint next, T* bias, V hidden, T* cell, T* saved, nint columns, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var i = LaneMath.Sigmoid(V.Load(sums) + V.Splat(bias[0]));
        var f = LaneMath.Sigmoid(V.Load(sums + next) + V.Splat(bias[1]));
        var g = LaneMath.Tanh(V.Load(sums + 2 * next) + V.Splat(bias[2]));
        var o = LaneMath.Sigmoid(V.Load(sums + 3 * next) + V.Splat(bias[3]));
        var before = V.Load(cell);
        var after = V.Fma(f, before, i * g);
        var squashed = LaneMath.Tanh(after);
        V.Store(V.Select(isActive, after, before), cell);
        if (saved != null)
        {
            V.Store(i, saved);
            V.Store(f, saved + columns);
            V.Store(g, saved + 2 * columns);
            V.Store(o, saved + 3 * columns);
            V.Store(before, saved + 4 * columns);
            V.Store(squashed, saved + 5 * columns);
        }
        return o * squashed;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Backward<V, T>(V gradient, T* saved, nint columns, T* sums, nint next, T* cell, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var (zero, one) = (V.Splat(0), V.Splat(1));
        var i = V.Load(saved);
        var f = V.Load(saved + columns);
        var g = V.Load(saved + 2 * columns);
        var o = V.Load(saved + 3 * columns);
        var before = V.Load(saved + 4 * columns);
        var squashed = V.Load(saved + 5 * columns);
        var kept = V.Load(cell);
        var dc = V.Fma(gradient * o, one - squashed * squashed, kept);
        V.Store(V.Select(isActive, dc * g * (i * (one - i)), zero), sums);
        V.Store(V.Select(isActive, dc * before * (f * (one - f)), zero), sums + next);
        V.Store(V.Select(isActive, dc * i * (one - g * g), zero), sums + 2 * next);
        V.Store(V.Select(isActive, gradient * squashed * (o * (one - o)), zero), sums + 3 * next);
        V.Store(V.Select(isActive, dc * f, kept), cell);
        return zero;
    }

    /// <summary>h′ before its projection, from what forward saved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Output<V, T>(T* saved, nint columns) where V : struct, ILanes<V, T> where T : unmanaged =>
        V.Load(saved + 3 * columns) * V.Load(saved + 5 * columns);
}

/// <summary>
/// r, z = σ(sums), n = tanh(input's sum + r·q), q the hidden state's sum: h′ = n + z·(h − n). Saves r, z, n, q and h.
/// </summary>
internal readonly unsafe struct GruCell : IRecurrentCell
{
    public static int Gates => 3;
    public static int Sums => 4;
    public static int Saved => 5;
    public static bool HasCell => false;
    public static int InputGate(int sum) => sum < 3 ? sum : -1;
    public static int HiddenGate(int sum) => sum < 2 ? sum : sum == 3 ? 2 : -1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Forward<V, T>(
        T* sums, nint next, T* bias, V hidden, T* cell, T* saved, nint columns, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var r = LaneMath.Sigmoid(V.Load(sums) + V.Splat(bias[0]));
        var z = LaneMath.Sigmoid(V.Load(sums + next) + V.Splat(bias[1]));
        var q = V.Load(sums + 3 * next) + V.Splat(bias[3]);
        var n = LaneMath.Tanh(V.Fma(r, q, V.Load(sums + 2 * next) + V.Splat(bias[2])));
        if (saved != null)
        {
            V.Store(r, saved);
            V.Store(z, saved + columns);
            V.Store(n, saved + 2 * columns);
            V.Store(q, saved + 3 * columns);
            V.Store(hidden, saved + 4 * columns);
        }
        return V.Fma(z, hidden - n, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Backward<V, T>(V gradient, T* saved, nint columns, T* sums, nint next, T* cell, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var (zero, one) = (V.Splat(0), V.Splat(1));
        var r = V.Load(saved);
        var z = V.Load(saved + columns);
        var n = V.Load(saved + 2 * columns);
        var q = V.Load(saved + 3 * columns);
        var before = V.Load(saved + 4 * columns);
        var dn = gradient * (one - z) * (one - n * n);
        V.Store(V.Select(isActive, dn * q * (r * (one - r)), zero), sums);
        V.Store(V.Select(isActive, gradient * (before - n) * (z * (one - z)), zero), sums + next);
        V.Store(V.Select(isActive, dn, zero), sums + 2 * next);
        V.Store(V.Select(isActive, dn * r, zero), sums + 3 * next);
        return gradient * z;
    }
}

/// <summary>h′ = tanh(sum). Saves h′.</summary>
internal readonly unsafe struct TanhCell : IRecurrentCell
{
    public static int Gates => 1;
    public static int Sums => 1;
    public static int Saved => 1;
    public static bool HasCell => false;
    public static int InputGate(int sum) => sum;
    public static int HiddenGate(int sum) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Forward<V, T>(
        T* sums, nint next, T* bias, V hidden, T* cell, T* saved, nint columns, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var after = LaneMath.Tanh(V.Load(sums) + V.Splat(bias[0]));
        if (saved != null) V.Store(after, saved);
        return after;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Backward<V, T>(V gradient, T* saved, nint columns, T* sums, nint next, T* cell, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var after = V.Load(saved);
        V.Store(V.Select(isActive, gradient * (V.Splat(1) - after * after), V.Splat(0)), sums);
        return V.Splat(0);
    }
}

/// <summary>h′ = max(0, sum); no gradient at 0. Saves h′.</summary>
internal readonly unsafe struct ReluCell : IRecurrentCell
{
    public static int Gates => 1;
    public static int Sums => 1;
    public static int Saved => 1;
    public static bool HasCell => false;
    public static int InputGate(int sum) => sum;
    public static int HiddenGate(int sum) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Forward<V, T>(
        T* sums, nint next, T* bias, V hidden, T* cell, T* saved, nint columns, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var after = V.Max(V.Load(sums) + V.Splat(bias[0]), V.Splat(0));
        if (saved != null) V.Store(after, saved);
        return after;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Backward<V, T>(V gradient, T* saved, nint columns, T* sums, nint next, T* cell, V isActive)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var zero = V.Splat(0);
        var passes = V.Less(zero, V.Load(saved));
        V.Store(V.Select(isActive, V.Select(passes, gradient, zero), zero), sums);
        return zero;
    }
}
