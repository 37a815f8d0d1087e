namespace Adjoint;

/// <summary>
/// What an op computes with besides its inputs, such as the exponent of a power or the stride of a convolution.
/// </summary>
/// <param name="Name">The name that the op's method uses, in camel case.</param>
/// <param name="Value">
/// An <c>int</c>, a <c>double</c>, a <c>bool</c>, a <c>string</c>, an <c>int[]</c> (axes), a <see cref="Size2"/>, a
/// <see cref="Shape"/>, a <see cref="DType"/> or a <see cref="Tensor"/>.
/// </param>
public readonly record struct OpAttribute(string Name, object Value)
{
    /// <summary>Name and value, as in <c>axes [0, 1]</c>.</summary>
    /// <returns>The text, for people.</returns>
    public override string ToString() => FormattableString.Invariant($"{Name} {Text}");

    private object Text => Value switch
    {
        int[] axes => $"[{string.Join(", ", axes)}]",
        bool value => value ? "true" : "false",
        DType type => type.Label(),
        Tensor tensor => $"{tensor.DType.Label()} {tensor.Shape}",
        _ => Value,
    };
}
