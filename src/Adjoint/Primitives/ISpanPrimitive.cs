using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// A primitive of floating types whose body is safe code: it gets at the elements of its operands as spans, in
/// row-major order whatever their layout, written once for the type that is computed in (see
/// <see cref="IFloatingPrimitive{TSelf}"/>). It is part of captured functions as any other. See
/// <c>samples/own-primitive.cs</c>.
/// </summary>
/// <typeparam name="TSelf">The primitive itself.</typeparam>
public interface ISpanPrimitive<TSelf> : IFloatingPrimitive<TSelf> where TSelf : struct, ISpanPrimitive<TSelf>
{
    /// <summary>Computes, on operands that were checked.</summary>
    /// <typeparam name="T">The type that is computed in: float or double.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="elements">The operands.</param>
    static abstract void Run<T>(in TSelf primitive, Elements elements)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <inheritdoc/>
    static void IFloatingPrimitive<TSelf>.Run<T>(in TSelf primitive, ReadOnlySpan<Tensor?> operands)
    {
        var results = operands.Length - TSelf.Outputs;
        var packed = operands.ToArray();
        for (var i = 0; i < results; i++)
            if (packed[i] is { } x) packed[i] = Copy.Packed(x);
        TSelf.Run<T>(primitive, new(TSelf.Name, packed, results));
        for (var i = 0; i < results; i++)
            if (packed[i] is { } x) Copy.Unpack(x, operands[i]!);
        foreach (var operand in operands) GC.KeepAlive(operand);
    }
}

/// <summary>
/// The operands of a primitive as spans, while its body runs. An index or a type that is wrong is refused by name.
/// </summary>
public readonly ref struct Elements
{
    private readonly string primitive;
    private readonly ReadOnlySpan<Tensor?> operands;
    private readonly int results;

    internal Elements(string primitive, ReadOnlySpan<Tensor?> operands, int results)
    {
        this.primitive = primitive;
        this.operands = operands;
        this.results = results;
    }

    /// <summary>How many operands there are: what is read, then what is written.</summary>
    public int Count => operands.Length;

    /// <summary>An operand, for its shape; null where an optional one is left out.</summary>
    /// <exception cref="AdjointException">There is no such operand.</exception>
    public Tensor? this[int operand] => (uint)operand < (uint)operands.Length
        ? operands[operand]
        : throw new AdjointException($"{primitive}: there is no operand {operand} of {operands.Length}");

    /// <summary>The elements of an operand, in row-major order.</summary>
    /// <typeparam name="T">
    /// What the elements are: the type that is computed in; <see cref="long"/> for an index, <see cref="bool"/> for a
    /// mask.
    /// </typeparam>
    /// <exception cref="AdjointException">There is none, or it holds another type.</exception>
    public ReadOnlySpan<T> Read<T>(int operand) where T : unmanaged => Of<T>(operand);

    /// <summary>The elements of a result, in row-major order; to be written, each of them.</summary>
    /// <exception cref="AdjointException">
    /// There is none, it holds another type, has gaps, or is an operand that is read.
    /// </exception>
    public Span<T> Write<T>(int operand) where T : unmanaged => operand >= results
        ? Of<T>(operand)
        : throw new AdjointException(
            $"{primitive}: operand {operand} of {operands.Length} is read, not written; results come last");

    private Span<T> Of<T>(int operand) where T : unmanaged
    {
        var x = this[operand]
            ?? throw new AdjointException($"{primitive}: operand {operand} of {operands.Length} was left out");
        if (DTypes.Of<T>() != x.DType)
            throw new AdjointException(
                $"{primitive}: operand {operand} holds {x.DType.Label()}, not {DTypes.Of<T>().Label()}");
        if (!x.IsContiguous)
            throw new AdjointException(
                $"{primitive}: result {operand} must be contiguous: found {x.Shape}, a view with gaps; compute into a "
                + "tensor of its own, then copy");
        return x.Data<T>();
    }
}
