using Adjoint.Primitives;

namespace Adjoint;

/// <summary>A primitive with its operands, as an observer sees it: can be run, timed, and run again.</summary>
/// <param name="name">The primitive's name.</param>
/// <param name="operands">What it reads, then what it writes; null where an optional one is left out.</param>
/// <param name="outputs">How many of the last operands it writes.</param>
internal abstract class PrimitiveCall(string name, Tensor?[] operands, int outputs)
{
    internal string Name => name;

    /// <summary>Inputs, then outputs. A replay puts other tensors over the same memory here.</summary>
    internal Tensor?[] Operands => operands;

    internal int Outputs => outputs;

    /// <summary>For profiles of replays: the op that asked for it when it was recorded.</summary>
    internal (string Op, bool IsBackward)? Cause { get; set; }

    /// <summary>Floating-point operations, where they are what counts.</summary>
    internal virtual double Flops => 0;

    /// <summary>Bytes read and written at the least.</summary>
    internal double Bytes => operands.Sum(BytesOf) + (IsInPlace ? operands[^outputs..].Sum(BytesOf) : 0);

    /// <summary>See <see cref="IPrimitive{TSelf}.IsInPlace"/>.</summary>
    internal virtual bool IsInPlace => false;

    /// <summary>See <see cref="IPrimitive{TSelf}.IsElementwise"/>.</summary>
    internal virtual bool IsElementwise => false;

    internal abstract void Run();

    /// <summary>
    /// Undoes what it changed besides tensors' memory, where the recording that it was a part of is refused.
    /// </summary>
    internal virtual void Undo() { }

    /// <summary>The same on other operands, with the attributes of now.</summary>
    internal virtual PrimitiveCall Again(Tensor?[] operands) =>
        throw new NotSupportedException($"{name}: not a primitive");

    /// <summary>Computes a block; see <see cref="IPrimitive{TSelf}.RunBlock"/>.</summary>
    internal virtual unsafe void RunBlock(void** block, int count, DType type) =>
        throw new NotSupportedException($"{name}: not element-wise");

    private static double BytesOf(Tensor? operand) => operand is null
        ? 0
        : Math.Min((double)operand.Length * operand.DType.Size(), operand.Storage.ByteLength);
}

/// <inheritdoc/>
/// <param name="primitive">The primitive.</param>
/// <param name="operands">See <see cref="PrimitiveCall.Operands"/>.</param>
/// <param name="renew">Gives its attributes for each run after the first; null where they stay.</param>
internal sealed class PrimitiveCall<TPrimitive>(
    TPrimitive primitive, Tensor?[] operands, Func<TPrimitive>? renew = null)
    : PrimitiveCall(TPrimitive.Name, operands, TPrimitive.Outputs)
    where TPrimitive : struct, IPrimitive<TPrimitive>
{
    private bool mustRenew;

    internal override double Flops => TPrimitive.Flops(primitive, Operands);

    internal override bool IsInPlace => TPrimitive.IsInPlace;

    // A block is computed with the attributes of the recording, and on any thread.
    internal override bool IsElementwise => TPrimitive.IsElementwise && renew is null;

    internal override void Run()
    {
        if (mustRenew) primitive = renew!();
        mustRenew = renew is not null;
        Backend.Dispatch(primitive, Operands);
    }

    internal override PrimitiveCall Again(Tensor?[] operands) =>
        new PrimitiveCall<TPrimitive>(primitive, operands, renew);

    internal override unsafe void RunBlock(void** block, int count, DType type) =>
        TPrimitive.RunBlock(primitive, block, Operands.Length, count, type);
}
