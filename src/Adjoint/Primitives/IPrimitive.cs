namespace Adjoint.Primitives;

/// <summary>
/// An operation on tensors' memory, as a value: its attributes are its fields, and what it reads and writes are the
/// operands that <see cref="Backend.Run{TPrimitive}(in TPrimitive, ReadOnlySpan{Tensor?})"/> is given with it, results
/// last. One file holds all there is to know of it: name, checks, cost, and the body that computes it on the CPU. A
/// backend of another device registers a body of its own.
/// </summary>
/// <typeparam name="TSelf">The primitive itself.</typeparam>
public interface IPrimitive<TSelf> where TSelf : struct, IPrimitive<TSelf>
{
    /// <summary>The name in messages, profiles and traces.</summary>
    static abstract string Name { get; }

    /// <summary>How many of the last operands it writes.</summary>
    static virtual int Outputs => 1;

    /// <summary>
    /// Whether it reads what it writes too: it changes its results in place. A graph that saved their old values
    /// refuses to go backward.
    /// </summary>
    static virtual bool IsInPlace => false;

    /// <summary>
    /// Floating-point operations, where they rather than bytes set the time: products and convolutions.
    /// </summary>
    static virtual double Flops(in TSelf primitive, ReadOnlySpan<Tensor?> operands) => 0;

    /// <summary>
    /// Refuses operands whose number, shapes, types or layouts are not those that the body expects, with what
    /// <see cref="Operands"/> has: a body works on bare pointers, and would read or write whatever lies beside them.
    /// Reads no element.
    /// </summary>
    /// <exception cref="AdjointException">They do not fit; names the primitive and the operand.</exception>
    static abstract void Check(in TSelf primitive, ReadOnlySpan<Tensor?> operands);

    /// <summary>
    /// Computes, on operands that were checked and lie in the CPU's memory. A body in safe code that is written once
    /// for all floating types: <see cref="ISpanPrimitive{TSelf}"/>.
    /// </summary>
    static abstract void RunOnCpu(in TSelf primitive, ReadOnlySpan<Tensor?> operands);

    /// <summary>
    /// Whether each element of the one result depends only on the elements of the operands at its place, so that runs
    /// of such primitives can go over memory together, block by block.
    /// </summary>
    static virtual bool IsElementwise => false;

    /// <summary>Computes a block of an element-wise primitive over contiguous elements of one type.</summary>
    /// <param name="primitive">The primitive.</param>
    /// <param name="block">Where the block of each operand begins, in the order of the operands.</param>
    /// <param name="operands">How many operands there are.</param>
    /// <param name="count">Elements in the block.</param>
    /// <param name="type">The element type.</param>
    static virtual unsafe void RunBlock(
        in TSelf primitive, void** block, int operands, int count, DType type) =>
        throw new NotSupportedException($"{TSelf.Name}: not element-wise");
}
