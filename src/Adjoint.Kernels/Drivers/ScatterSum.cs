using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>y[o, i] = Σ over j with index[j] = i of x[o, j], for rows of some length.</summary>
public static unsafe class ScatterSum
{
    /// <summary>x [outer, index.Length, inner] → y [outer, size, inner]; indices must lie in 0 … size − 1.</summary>
    /// <param name="x">What is added.</param>
    /// <param name="index">Where.</param>
    /// <param name="repeats">How often one index occurs at most.</param>
    /// <param name="y">The sums.</param>
    /// <param name="outer">How often all of it is done.</param>
    /// <param name="size">How many sums there are each time.</param>
    /// <param name="inner">The length of a row.</param>
    public static void Run<T>(T* x, ReadOnlySpan<int> index, int repeats, T* y, nint outer, int size, nint inner)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var groups = repeats > Pairs.Terms ? Crowded(index, size) : [];
        var isCrowded = groups.Count > 0 ? new bool[size] : null;
        var levels = (nint)0;
        foreach (var (at, members) in groups)
            (isCrowded![at], levels) = (true, Math.Max(levels, Pairs.Levels(members.Length)));
        fixed (T* sums = new T[levels * inner])
            for (nint o = 0; o < outer; o++, x += index.Length * inner, y += size * inner)
            {
                new Span<T>(y, (int)(size * inner)).Clear();
                for (var j = 0; j < index.Length; j++)
                    if (isCrowded is null || !isCrowded[index[j]]) Add(x + j * inner, y + index[j] * inner, inner);
                foreach (var (at, members) in groups) Sum(x, members, y + at * inner, inner, sums);
            }
    }

    // Where more terms meet than are added one after another: their numbers, in order.
    private static List<(int At, int[] Members)> Crowded(ReadOnlySpan<int> index, int size)
    {
        var counts = new int[size];
        foreach (var i in index) counts[i]++;
        var groups = new List<(int At, int[] Members)>();
        if (counts.AsSpan().IndexOfAnyInRange(Pairs.Terms + 1, int.MaxValue) < 0) return groups;
        var place = new int[size];
        for (var i = 0; i < size; i++)
        {
            if (counts[i] <= Pairs.Terms) continue;
            groups.Add((i, new int[counts[i]]));
            place[i] = groups.Count;
        }
        Array.Clear(counts);
        for (var j = 0; j < index.Length; j++)
            if (place[index[j]] is > 0 and var group) groups[group - 1].Members[counts[index[j]]++] = j;
        return groups;
    }

    private static void Sum<T>(T* x, ReadOnlySpan<int> members, T* y, nint inner, T* sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (members.Length <= Pairs.Terms)
        {
            new Span<T>(y, (int)inner).Clear();
            foreach (var j in members) Add(x + j * inner, y, inner);
            return;
        }
        var left = (int)Pairs.Left(members.Length, Pairs.Terms);
        Sum(x, members[..left], y, inner, sums);
        Sum(x, members[left..], sums, inner, sums + inner);
        Add(sums, y, inner);
    }

    private static void Add<T>(T* x, T* y, nint inner) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (nint i = 0; i < inner; i++) y[i] += x[i];
    }
}
