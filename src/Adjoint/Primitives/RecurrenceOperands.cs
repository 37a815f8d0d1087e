using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>What a recurrence and its gradient check alike.</summary>
internal static class RecurrenceOperands
{
    /// <summary>The name of the op in messages about values, which only the body sees.</summary>
    internal static string OpOf(RecurrentCell cell) =>
        cell switch { RecurrentCell.Lstm => "Lstm", RecurrentCell.Gru => "Gru", _ => "Rnn" };

    /// <summary>An operand that must be there, or must not.</summary>
    internal static void IsThere(string primitive, string name, Tensor? x, bool expected)
    {
        if (x is not null == expected) return;
        throw new AdjointException(x is null
            ? $"{primitive}: {name} must not be left out: found null{Operands.Remedy}"
            : $"{primitive}: {name} must be left out for this kind of cell: found {x.Shape}{Operands.Remedy}");
    }

    /// <summary>An operand of these sizes, where it is there.</summary>
    internal static void HasOptional(
        string primitive, string name, Tensor? x, DType type, params ReadOnlySpan<int> sizes)
    {
        if (x is not null) Operands.Has(primitive, name, x, type, sizes);
    }

    /// <summary>A result of these sizes, where it is there.</summary>
    internal static void HasOptionalResult(
        string primitive, string name, Tensor? x, DType type, params ReadOnlySpan<int> sizes)
    {
        if (x is not null) Operands.HasContiguous(primitive, name, x, type, sizes);
    }

    /// <exception cref="AdjointException">There are more or fewer operands.</exception>
    internal static void Count(string primitive, ReadOnlySpan<Tensor?> operands, int expected)
    {
        if (operands.Length != expected)
            throw new AdjointException(
                $"{primitive}: takes {expected} operands, results last: found {operands.Length}");
    }

    /// <summary>The lengths side by side, each from 0 to the number of steps; null for none.</summary>
    /// <exception cref="AdjointException">One is negative or more than there are steps.</exception>
    internal static Tensor? Lengths(RecurrentCell cell, Tensor? lengths, int steps)
    {
        if (lengths is null) return null;
        var packed = Copy.Contiguous(lengths);
        var values = packed.Data<long>();
        for (var row = 0; row < values.Length; row++)
            if (values[row] < 0 || values[row] > steps)
                throw new AdjointException(
                    $"{OpOf(cell)}: the length of sequence {row} must be from 0 to {steps}, the steps of the input: "
                    + $"found {values[row]}; pad the batch to its longest sequence, or clamp the lengths");
        return packed;
    }

    internal static void ReleaseCopy(Tensor? packed, Tensor? x)
    {
        if (packed is not null) Copy.ReleaseCopy(packed, x!);
    }

    internal static Tensor? Contiguous(Tensor? x) => x is null ? null : Copy.Contiguous(x);

    internal static ReadOnlySpan<T> ElementsOf<T>(Tensor? x) where T : unmanaged => x is null ? default : x.Data<T>();
}
