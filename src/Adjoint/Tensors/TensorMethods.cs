namespace Adjoint;

/// <summary>
/// What a <see cref="Tensor"/> can do: its operators, its methods and the functions that create one. Each op declares
/// its own in its own file, as extension members, beside its formula and its derivative. A program uses them as members
/// of <see cref="Tensor"/> (<c>x.Sigmoid()</c>, <c>x / y</c>, <c>Tensor.Zeros(2, 3)</c>) and need not name this class.
/// </summary>
public static partial class TensorMethods;
