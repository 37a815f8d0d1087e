namespace Adjoint;

/// <summary>
/// An op whose result is a view of its input's memory: it computes nothing. To write one: derive, say in
/// <see cref="Layout"/> where the elements lie, and in <see cref="Op.Backward"/> how a gradient comes back, in ops. The
/// library makes the view, and refuses one that reaches outside its input. See <c>samples/own-view.cs</c>.
/// </summary>
public abstract class ViewOp : Op
{
    /// <inheritdoc/>
    public sealed override Saves Saves => Saves.Nothing;

    /// <summary>
    /// The shape rule and the layout in one: checks the input and says where the view's elements lie among the input's.
    /// </summary>
    /// <param name="x">The input, of any layout: see <see cref="Tensor.Strides"/>.</param>
    /// <returns>The sizes, strides and offset of the view.</returns>
    /// <exception cref="AdjointException">The input breaks a rule.</exception>
    protected abstract ViewLayout Layout(Tensor x);

    /// <inheritdoc/>
    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) =>
        new(Layout(Single(inputs)).Shape, inputs[0].DType);

    /// <inheritdoc/>
    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) { }

    /// <summary>The view, without history.</summary>
    /// <exception cref="AdjointException">It is not inside the input, or breaks a rule of the op.</exception>
    internal Tensor View(params ReadOnlySpan<Tensor> inputs)
    {
        var x = Single(inputs);
        var layout = Layout(x);
        layout.CheckInside(x, Name);
        var offset = (int)(x.Offset + layout.Offset);
        return layout.StridesOrNull is { } strides
            ? x.View(layout.Shape, strides, offset)
            : x.View(layout.Shape, offset);
    }

    private Tensor Single(ReadOnlySpan<Tensor> inputs) => inputs.Length == 1
        ? inputs[0]
        : throw new AdjointException($"{Name}: a view takes one tensor: found {inputs.Length}");
}
