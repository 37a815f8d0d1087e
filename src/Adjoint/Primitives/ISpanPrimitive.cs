using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// A primitive of floating types whose body is safe code: it sees the elements of its operands as spans, in row-major
/// order whatever their layout, and is written once for the computing type (see
/// <see cref="IFloatingPrimitive{TSelf}"/>). Captured functions include it like any other. See
/// <c>samples/own-primitive.cs</c>.
/// </summary>
/// <typeparam name="TSelf">The primitive itself.</typeparam>
public interface ISpanPrimitive<TSelf> : IFloatingPrimitive<TSelf> where TSelf : struct, ISpanPrimitive<TSelf>
{
    /// <summary>Computes the primitive, on operands that were checked.</summary>
    /// <typeparam name="T">The computing type: float or double.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="elements">The operands, as spans.</param>
    static abstract void Run<T>(in TSelf primitive, Elements elements)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <inheritdoc/>
    static void IFloatingPrimitive<TSelf>.Run<T>(in TSelf primitive, ReadOnlySpan<Tensor?> operands)
    {
        var results = operands.Length - TSelf.Outputs;
        var packed = operands.ToArray();
        for (var i = 0; i < results; i++)
            if (packed[i] is { } x) packed[i] = Copy.Contiguous(x);
        TSelf.Run<T>(primitive, new(TSelf.Name, packed, results));
        for (var i = 0; i < results; i++)
            if (packed[i] is { } x) Copy.ReleaseCopy(x, operands[i]!);
        foreach (var operand in operands) GC.KeepAlive(operand);
    }
}

/// <summary>
/// The operands of a primitive as spans, while its body runs. A wrong index or type is refused with a message that
/// names the operand.
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

    /// <summary>The number of operands, those that are read and those that are written.</summary>
    public int Count => operands.Length;

    /// <summary>An operand, for its shape; null where an optional one is left out.</summary>
    /// <param name="operand">The position of the operand, from 0 on.</param>
    /// <returns>The tensor, or null.</returns>
    /// <exception cref="AdjointException">There is no such operand.</exception>
    public Tensor? this[int operand] => (uint)operand < (uint)operands.Length
        ? operands[operand]
        : throw new AdjointException($"{primitive}: there is no operand {operand} of {operands.Length}");

    /// <summary>The elements of an operand that is read, in row-major order.</summary>
    /// <typeparam name="T">
    /// The type of the elements: the computing type; <see cref="long"/> for an index, <see cref="bool"/> for a mask.
    /// </typeparam>
    /// <param name="operand">The position of the operand, from 0 on.</param>
    /// <returns>All elements; a copy where the operand is strided.</returns>
    /// <exception cref="AdjointException">There is no such operand, or its elements are of another type.</exception>
    public ReadOnlySpan<T> Read<T>(int operand) where T : unmanaged => Of<T>(operand);

    /// <summary>The elements of a result, in row-major order; the body must write each of them.</summary>
    /// <typeparam name="T">The type of the elements: the computing type, or that of the result.</typeparam>
    /// <param name="operand">The position of the result among the operands.</param>
    /// <returns>Room for all elements.</returns>
    /// <exception cref="AdjointException">
    /// There is no such operand, it is read, strided, or of another type.
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
