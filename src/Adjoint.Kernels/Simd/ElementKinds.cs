namespace Adjoint.Kernels;

/// <summary>Kinds of elements that an operator is defined on.</summary>
[Flags]
public enum ElementKinds
{
    /// <summary>Floating-point numbers.</summary>
    Floating = 1,

    /// <summary>Integers: sums, differences and products wrap, as C#'s <c>unchecked</c> does.</summary>
    Integers = 2,

    /// <summary>Booleans: + is or, · is and, false &lt; true.</summary>
    Booleans = 4,

    /// <summary>Floating-point numbers and integers.</summary>
    Numbers = Floating | Integers,

    /// <summary>Integers and booleans.</summary>
    Exact = Integers | Booleans,

    /// <summary>All of them.</summary>
    All = Numbers | Booleans,
}
