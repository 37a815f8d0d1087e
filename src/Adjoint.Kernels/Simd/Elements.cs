namespace Adjoint.Kernels;

/// <summary>Which element types there are, and what kind of number each is.</summary>
internal static class Elements
{
    /// <summary>Its kind; none for a type that no vector has.</summary>
    internal static ElementKinds KindOf<T>() where T : unmanaged =>
        typeof(T) == typeof(float) || typeof(T) == typeof(double) ? ElementKinds.Floating
        : typeof(T) == typeof(long) || typeof(T) == typeof(int) || typeof(T) == typeof(byte) ? ElementKinds.Integers
        : typeof(T) == typeof(bool) ? ElementKinds.Booleans
        : 0;

    /// <summary>The error of an element that an operator means nothing on.</summary>
    internal static NotSupportedException None<T, TOperator>() where T : unmanaged =>
        new($"{typeof(TOperator).FullName}: not on elements of {typeof(T).Name}");
}
