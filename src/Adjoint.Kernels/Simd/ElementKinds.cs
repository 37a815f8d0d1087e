namespace Adjoint.Kernels;

/// <summary>Kinds of elements that a operator means something on.</summary>
[Flags]
public enum ElementKinds
{
    /// <summary>Floating-point numbers.</summary>
    Floating = 1,

    /// <summary>Whole numbers: sums, differences and products wrap, as C#'s <c>unchecked</c> does.</summary>
    Integers = 2,

    /// <summary>Truth values: + is or, · is and, false &lt; true.</summary>
    Truths = 4,

    /// <summary>Floating-point and whole numbers.</summary>
    Numbers = Floating | Integers,

    /// <summary>Whole numbers and truth values.</summary>
    Exact = Integers | Truths,

    /// <summary>All of them.</summary>
    All = Numbers | Truths,
}
