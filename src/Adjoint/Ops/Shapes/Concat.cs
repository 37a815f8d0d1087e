using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Tensors one after another along an axis.</summary>
internal sealed class ConcatOp(int axis) : Op
{
    public override string Name => "Concat";
    public override string Formula => "y = x₁, x₂, … one after another along an axis";
    public override string Derivation => "∂L/∂xᵢ = the part of g that xᵢ filled";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axis", axis)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        int[] sizes = [.. inputs[0].Shape.Sizes];
        for (var i = 1; i < inputs.Length; i++)
        {
            var other = inputs[i];
            var fits = other.Rank == sizes.Length && other.DType == inputs[0].DType;
            for (var a = 0; fits && a < sizes.Length; a++) fits = a == axis || other.Shape[a] == sizes[a];
            if (!fits)
                throw new AdjointException(
                    $"Concat: tensors must agree in type and in every axis but {axis}: found {inputs[0].Shape} " +
                    $"{inputs[0].DType.Label()} and {other.Shape} {other.DType.Label()}");
            sizes[axis] = Shape.Size((long)sizes[axis] + other.Shape[axis], "Concat");
        }
        return new(sizes, inputs[0].DType);
    }

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs)
    {
        var type = Promotion.ResultType(inputs);
        return [.. inputs.ToArray().Select(input => input.To(type))];
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var at = 0;
        foreach (var input in inputs)
        {
            if (input.Length > 0)
                Backend.Run(new CopyInto(), input, new SliceOp(axis, at, input.Shape[axis], 1).View(output));
            at += input.Shape[axis];
        }
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var results = new Tensor?[node.Inputs.Count];
        var at = 0;
        for (var i = 0; i < results.Length; i++)
        {
            var size = node.Inputs[i].Shape[axis];
            if (node.Needs(i)) results[i] = gradient.Slice(axis, at, size);
            at += size;
        }
        return results;
    }
}

// Concat and stack.
public static partial class TensorMethods
{
    extension(Tensor)
    {
        /// <summary>
        /// The tensors one after another along an axis that they have; different types are cast to that of their sum.
        /// </summary>
        /// <param name="tensors">One tensor or more, of equal shapes except for that axis.</param>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>A new tensor; its size on that axis is the sum of theirs.</returns>
        /// <exception cref="AdjointException">There are no tensors, or their shapes do not fit.</exception>
        public static Tensor Concat(IReadOnlyList<Tensor> tensors, int axis = 0) => tensors.Count == 0
            ? throw new AdjointException("Concat: at least one tensor is needed")
            : Op.Apply(new ConcatOp(tensors[0].Shape.Axis(axis, "Concat")), [.. tensors]);

        /// <summary>The tensors side by side along a new axis; different types are cast to that of their sum.</summary>
        /// <param name="tensors">One tensor or more, n of them, of one shape.</param>
        /// <param name="axis">Where the new axis, of size n, is inserted; a negative one counts from the last.</param>
        /// <returns>A new tensor with one axis more.</returns>
        /// <exception cref="AdjointException">There are no tensors, or their shapes differ.</exception>
        public static Tensor Stack(IReadOnlyList<Tensor> tensors, int axis = 0) =>
            Tensor.Concat([.. tensors.Select(tensor => tensor.Unsqueeze(axis))], axis);
    }
}
