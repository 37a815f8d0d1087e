using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The vocabulary of vector maths: a few numbers computed side by side. An op's formula is written once over it and
/// runs on 512-, 256- and 128-bit vectors and on scalars, in single and double precision.
/// NaN propagates through every function, <see cref="Min"/> and <see cref="Max"/> included.
/// </summary>
/// <typeparam name="V">The implementation itself.</typeparam>
public interface ILanes<V> :
    IAdditionOperators<V, V, V>, ISubtractionOperators<V, V, V>, IMultiplyOperators<V, V, V>,
    IDivisionOperators<V, V, V>, IUnaryNegationOperators<V, V>
    where V : struct, ILanes<V>
{
    /// <summary>The value, rounded to the element type, in every lane.</summary>
    static abstract V Splat(double value);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>The smaller; NaN if either is NaN.</summary>
    static abstract V Min(V a, V b);

    /// <summary>The larger; NaN if either is NaN.</summary>
    static abstract V Max(V a, V b);

    /// <summary>|x|.</summary>
    static abstract V Abs(V x);

    /// <summary>√x; NaN below 0.</summary>
    static abstract V Sqrt(V x);

    /// <summary>The largest integer ≤ x.</summary>
    static abstract V Floor(V x);

    /// <summary>eˣ.</summary>
    static abstract V Exp(V x);

    /// <summary>x·2ⁿ for integral n from −300 to 300.</summary>
    static abstract V ScaleByPowerOfTwo(V x, V n);

    /// <summary>x, but at least <paramref name="low"/> and at most <paramref name="high"/>; NaN stays.</summary>
    static abstract V Clamp(V x, V low, V high);

    /// <summary>The natural logarithm; −∞ at 0, NaN below.</summary>
    static abstract V Log(V x);

    /// <summary>
    /// xʸ with the special cases of the C standard: exact where representable, else within one unit in the last place.
    /// </summary>
    static abstract V Pow(V x, V y);

    /// <summary>The sine, x in radians.</summary>
    static abstract V Sin(V x);

    /// <summary>The cosine, x in radians.</summary>
    static abstract V Cos(V x);

    /// <summary>A mask: all bits set where a &lt; b.</summary>
    static abstract V Less(V a, V b);

    /// <summary>A mask: all bits set where a ≤ b.</summary>
    static abstract V LessEqual(V a, V b);

    /// <summary>A mask: all bits set where a = b.</summary>
    static abstract V Equal(V a, V b);

    /// <summary>Lane by lane: where the mask is set the one, elsewhere the other.</summary>
    static abstract V Select(V mask, V ifTrue, V ifFalse);

    /// <summary>⌊x / y⌋, rounded once; of integers exact.</summary>
    /// <exception cref="ArithmeticException">y is an integer 0.</exception>
    static virtual V FloorDivide(V x, V y) => throw Lacks(nameof(FloorDivide));

    /// <summary>x − y·⌊x / y⌋: 0 or of the sign of y.</summary>
    /// <exception cref="ArithmeticException">y is an integer 0.</exception>
    static virtual V Remainder(V x, V y) => throw Lacks(nameof(Remainder));

    /// <summary>x ∧ y: of integers bit by bit.</summary>
    static virtual V And(V x, V y) => throw Lacks(nameof(And));

    /// <summary>x ∨ y: of integers bit by bit.</summary>
    static virtual V Or(V x, V y) => throw Lacks(nameof(Or));

    /// <summary>x ⊕ y, exclusive or: of integers bit by bit.</summary>
    static virtual V Xor(V x, V y) => throw Lacks(nameof(Xor));

    /// <summary>¬x: of integers bit by bit.</summary>
    static virtual V Not(V x) => throw Lacks(nameof(Not));

    private static NotSupportedException Lacks(string function) =>
        new($"{typeof(V).Name}: has no {function}");
}

/// <summary>Lanes of elements of type <typeparamref name="T"/>, as the drivers see them.</summary>
/// <typeparam name="V">The implementation itself.</typeparam>
/// <typeparam name="T">float, double, long, int, byte or bool.</typeparam>
public unsafe interface ILanes<V, T> : ILanes<V> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>How many lanes.</summary>
    static abstract int Count { get; }

    /// <summary>Reads <see cref="Count"/> elements; no alignment is needed.</summary>
    static abstract V Load(T* from);

    /// <summary>
    /// Reads the lower half of the lanes from one place, the upper from another; for an even <see cref="Count"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static virtual V LoadHalves(T* low, T* high)
    {
        var lanes = stackalloc T[V.Count];
        for (var i = 0; i < V.Count / 2; i++)
        {
            lanes[i] = low[i];
            lanes[V.Count / 2 + i] = high[i];
        }
        return V.Load(lanes);
    }

    /// <summary>Writes <see cref="Count"/> elements.</summary>
    static abstract void Store(V x, T* to);

    /// <summary>Writes the first <paramref name="count"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static virtual void StoreFirst(V x, T* to, int count)
    {
        var lanes = stackalloc T[V.Count];
        V.Store(x, lanes);
        for (var i = 0; i < count; i++) to[i] = lanes[i];
    }

    /// <summary>One element in every lane.</summary>
    static abstract V Splat(T value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static V ILanes<V>.FloorDivide(V x, V y)
    {
        T* a = stackalloc T[V.Count], b = stackalloc T[V.Count];
        V.Store(x, a);
        V.Store(y, b);
        for (var i = 0; i < V.Count; i++) a[i] = Quotient.Floor(a[i], b[i]);
        return V.Load(a);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static V ILanes<V>.Remainder(V x, V y)
    {
        T* a = stackalloc T[V.Count], b = stackalloc T[V.Count];
        V.Store(x, a);
        V.Store(y, b);
        for (var i = 0; i < V.Count; i++) a[i] = Quotient.Remainder(a[i], b[i]);
        return V.Load(a);
    }

    /// <summary>
    /// a·b + c, rounded once, with one element b from memory in every lane: one instruction where the processor has it,
    /// which <see cref="Splat(T)"/> as an argument would not become.
    /// </summary>
    static abstract V FmaSplat(V a, T* b, V c);
}

/// <summary>The formula of an op, element by element; its parameters are the struct's fields.</summary>
public interface IOperator
{
    /// <summary>The kinds of elements that it is defined on.</summary>
    static virtual ElementKinds Kinds => ElementKinds.Floating;
}

/// <summary>A formula of one input.</summary>
public interface IUnaryOperator : IOperator
{
    /// <summary>f(x).</summary>
    V Invoke<V>(V x) where V : struct, ILanes<V>;
}

/// <summary>A formula of two inputs.</summary>
public interface IBinaryOperator : IOperator
{
    /// <summary>f(x, y).</summary>
    V Invoke<V>(V x, V y) where V : struct, ILanes<V>;
}

/// <summary>A formula of three inputs.</summary>
public interface ITernaryOperator : IOperator
{
    /// <summary>f(x, y, z).</summary>
    V Invoke<V>(V x, V y, V z) where V : struct, ILanes<V>;
}

/// <summary>A fold: transforms each element and combines the results, in a fixed order.</summary>
public interface IReductionOperator : IOperator
{
    /// <summary>What an empty fold gives; combining with it changes nothing.</summary>
    double Identity { get; }

    /// <summary>Applied to each element first.</summary>
    V Transform<V>(V x) where V : struct, ILanes<V>;

    /// <summary>Adds one transformed element, or partial result, to another. Associative up to rounding.</summary>
    V Combine<V>(V accumulator, V x) where V : struct, ILanes<V>;
}

/// <summary>
/// The update rule of an optimizer, element by element: the weight w and what is kept for it, s and t, change, given
/// the gradient g. The rule's numbers, such as the learning rate, are the struct's fields.
/// </summary>
public interface IUpdateRule
{
    /// <summary>How many arrays like w it keeps, zeros at first: 0, 1 (s) or 2 (s and t).</summary>
    static abstract int States { get; }

    /// <summary>
    /// Replaces w, and of s and t those that are kept; the others are 0, and what they become is lost.
    /// </summary>
    void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>;
}

/// <summary>f(x) = x: the epilogue of a product without activation.</summary>
public readonly struct NoActivation : IUnaryOperator
{
    /// <inheritdoc/>
    public V Invoke<V>(V x) where V : struct, ILanes<V> => x;
}
