using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// A step of an optimizer: a parameter w, and the states that its rule keeps for it, change in place, element by
/// element. Operands: the gradient g, of any layout; w and the states (as many as <see cref="IUpdateRule.States"/>),
/// contiguous, each in memory of its own; all of one shape and floating type, but the states of its computing type.
/// </summary>
/// <typeparam name="TUpdate">The type of the rule.</typeparam>
/// <param name="Update">The rule, with the numbers of this step.</param>
public readonly record struct ParameterUpdate<TUpdate>(TUpdate Update) : IFloatingPrimitive<ParameterUpdate<TUpdate>>
    where TUpdate : struct, IUpdateRule
{
    /// <inheritdoc/>
    public static string Name => "ParameterUpdate";

    /// <inheritdoc/>
    public static int Outputs => 1 + States;

    /// <inheritdoc/>
    public static bool IsInPlace => true;

    /// <summary>How many states the rule keeps.</summary>
    /// <exception cref="AdjointException">The rule says that it keeps fewer than 0, or more than 2.</exception>
    internal static int States => TUpdate.States is var count and >= 0 and <= 2
        ? count
        : throw new AdjointException(
            $"{Name}: {typeof(TUpdate).Name}.States must be 0, 1 (s) or 2 (s and t): found {TUpdate.States}; a rule "
            + "that keeps more overrides Optimizer.Update");

    /// <inheritdoc/>
    public static void Check(in ParameterUpdate<TUpdate> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2 + States);
        var (gradient, parameter) = (operands[0]!, operands[1]!);
        Operands.Result(Name, parameter);
        Operands.SameTypeAndShape(Name, "gradient", gradient, parameter);
        Operands.NoOverlap(Name, gradient, parameter);
        for (var i = 2; i < operands.Length; i++)
        {
            var state = operands[i]!;
            Operands.HasContiguous(Name, "state", state, parameter.DType.Computing(), parameter.Shape.Sizes);
            for (var j = 0; j < i; j++) Operands.NoOverlap(Name, operands[j]!, state);
        }
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in ParameterUpdate<TUpdate> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (gradient, w) = (Copy.Contiguous(operands[0]!), operands[1]!);
        var (s, t) = (operands.Length > 2 ? operands[2] : null, operands.Length > 3 ? operands[3] : null);
        fixed (T* pg = gradient.Data<T>(), pw = w.Data<T>(), ps = s is null ? default : s.Data<T>(),
            pt = t is null ? default : t.Data<T>())
            OptimizerSteps.Run(primitive.Update, pw, pg, ps, pt, w.Length);
        Copy.ReleaseCopy(gradient, operands[0]!);
    }
}
