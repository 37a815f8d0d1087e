using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// A primitive of floating types, as <see cref="IFloatingPrimitive{TSelf}"/>, that is defined for integers or truth
/// values too: <see cref="RunExact{T}"/> is called with long, int, byte or bool, the type in memory, for those of them
/// that <see cref="Kinds"/> includes.
/// </summary>
/// <typeparam name="TSelf">The primitive itself.</typeparam>
public interface INumericPrimitive<TSelf> : IFloatingPrimitive<TSelf> where TSelf : struct, INumericPrimitive<TSelf>
{
    /// <summary>The kinds of elements that it computes on.</summary>
    static abstract ElementKinds Kinds { get; }

    /// <summary>Computes the primitive, on operands that were checked and lie in the CPU's memory.</summary>
    /// <typeparam name="T">The type of the elements: long, int, byte or bool.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    /// <exception cref="ArithmeticException">There is no such integer, as for a quotient by 0.</exception>
    static abstract void RunExact<T>(in TSelf primitive, ReadOnlySpan<Tensor?> operands) where T : unmanaged;

    /// <inheritdoc/>
    static void IPrimitive<TSelf>.RunOnCpu(in TSelf primitive, ReadOnlySpan<Tensor?> operands)
    {
        if (operands[^1]!.DType.IsFloating()) FloatingPrimitive.Run(primitive, operands);
        else NumericPrimitive.RunExact(primitive, operands);
    }
}

/// <summary>The one dispatch on the types of whole numbers and truth values.</summary>
internal static class NumericPrimitive
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void RunExact<TPrimitive>(in TPrimitive primitive, ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, INumericPrimitive<TPrimitive>
    {
        var type = operands[^1]!.DType;
        // What is not computed on is no code either.
        if ((TPrimitive.Kinds & ElementKinds.Exact) == 0 || !TPrimitive.Kinds.Has(type))
            throw Operands.NoBody(TPrimitive.Name, type);
        try
        {
            switch (type)
            {
                case DType.Int64: TPrimitive.RunExact<long>(primitive, operands); break;
                case DType.Int32: TPrimitive.RunExact<int>(primitive, operands); break;
                case DType.UInt8: TPrimitive.RunExact<byte>(primitive, operands); break;
                case DType.Bool: TPrimitive.RunExact<bool>(primitive, operands); break;
                default: throw Operands.NoBody(TPrimitive.Name, type);
            }
        }
        catch (ArithmeticException reason)
        {
            throw new AdjointException(reason.Message, reason);
        }
    }
}
