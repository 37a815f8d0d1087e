namespace Adjoint.Primitives;

/// <summary>
/// An operation on tensors' memory, as a value: its attributes are its fields, and what it reads and writes are the
/// operands that <see cref="Backend.Run{TPrimitive}(in TPrimitive, ReadOnlySpan{Tensor?})"/> takes with it, results
/// last. One file holds all there is to know about it: name, checks, cost, and the body that computes it on the CPU. A
/// backend of another device registers its own body.
/// </summary>
/// <typeparam name="TSelf">The primitive itself.</typeparam>
public interface IPrimitive<TSelf> where TSelf : struct, IPrimitive<TSelf>
{
    /// <summary>The primitive's name in messages, profiles and traces.</summary>
    static abstract string Name { get; }

    /// <summary>The number of operands that it writes, the last ones.</summary>
    static virtual int Outputs => 1;

    /// <summary>
    /// Whether it also reads what it writes, and so changes its results in place. A graph that saved their old values
    /// refuses to go backward.
    /// </summary>
    static virtual bool IsInPlace => false;

    /// <summary>
    /// Floating-point operations, for primitives whose time they set rather than memory bandwidth: products and
    /// convolutions.
    /// </summary>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    /// <returns>The number of operations; 0 by default.</returns>
    static virtual double Flops(in TSelf primitive, ReadOnlySpan<Tensor?> operands) => 0;

    /// <summary>
    /// Refuses operands whose number, shapes, types or layouts are not those that the body expects, using
    /// <see cref="Operands"/>: a body works on bare pointers, and would read or write whatever lies beside them. Reads
    /// no element.
    /// </summary>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    /// <exception cref="AdjointException">They do not fit; names the primitive and the operand.</exception>
    static abstract void Check(in TSelf primitive, ReadOnlySpan<Tensor?> operands);

    /// <summary>
    /// Computes the primitive, on operands that were checked and lie in the CPU's memory. For a body in safe code that
    /// is written once for all floating types: <see cref="ISpanPrimitive{TSelf}"/>.
    /// </summary>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    static abstract void RunOnCpu(in TSelf primitive, ReadOnlySpan<Tensor?> operands);

    /// <summary>
    /// Whether each element of the one result depends only on the elements of the operands at the same place, so that
    /// chains of such primitives can be fused, block by block.
    /// </summary>
    static virtual bool IsElementwise => false;

    /// <summary>Computes a block of an element-wise primitive over contiguous elements of one type.</summary>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="block">Where the block of each operand begins, in the order of the operands.</param>
    /// <param name="operands">The number of operands.</param>
    /// <param name="count">The number of elements in the block.</param>
    /// <param name="type">The element type.</param>
    static virtual unsafe void RunBlock(
        in TSelf primitive, void** block, int operands, int count, DType type) =>
        throw new NotSupportedException($"{TSelf.Name}: not element-wise");
}
