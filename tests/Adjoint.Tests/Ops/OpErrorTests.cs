namespace Adjoint.Tests.Ops;

public class OpErrorTests
{
    public static TheoryData<string, string> Rows() => new()
    {
        { "matmul", "MatMul: inner dimensions differ: (128, 784) · (785, 10); the last axis of the left must equal the second last of the right" },
        { "matmul-transposed", "MatMul: inner dimensions differ: (2, 3) · (4, 3); transpose the right operand?" },
        { "broadcast", "Add: shapes do not broadcast: (2, 3) and (4,): sizes 3 and 4 at axis -1 must be equal or 1" },
        { "types", "MatMul: both operands must be of one floating type: found float32 and float64; cast one with .To(…)" },
        { "reshape", "Reshape: (2, 3) has 6 elements, (4, 2) has 8; the product of the sizes must stay" },
        { "axis", "Sum: axis 2 is outside (2, 3); use -2..1" },
        { "scalar-axis", "Sum: axis 0 is outside (); a scalar has none: .Reshape(1) makes it a vector" },
        { "whole-transposed", "ConvTranspose2d: input and weight must be of one floating type: found int64 and float32; cast one with .To(…)" },
        { "label", "CrossEntropy: label 3 is no class of logits (1, 3); use 0..2" },
        { "expand", "Expand: (2, 3) does not expand to (2, 4); sizes, aligned at the last axis, must be equal or 1" },
        { "gather", "Gather: index 5 at element 0 is outside axis 1 of (1, 3); use 0..2" },
        { "linear", "Linear: an input (n, 3) is needed: found () for weights (4, 3); the last axis must be the number of inputs" },
        { "max", "Max: there is no largest of nothing: (0,)" },
    };

    [Theory, MemberData(nameof(Rows))]
    public void Message_names_op_rule_found_and_remedy(string what, string message)
    {
        Action act = what switch
        {
            "matmul" => () => Tensor.Zeros(128, 784).MatMul(Tensor.Zeros(785, 10)),
            "matmul-transposed" => () => Tensor.Zeros(2, 3).MatMul(Tensor.Zeros(4, 3)),
            "broadcast" => () => _ = Tensor.Zeros(2, 3) + Tensor.Zeros(4),
            "types" => () => Tensor.Zeros(2, 3).MatMul(Tensor.Zeros([3, 2], DType.Float64)),
            "reshape" => () => Tensor.Zeros(2, 3).Reshape(4, 2),
            "axis" => () => Tensor.Zeros(2, 3).Sum(2),
            "scalar-axis" => () => Tensor.Scalar(1).Sum(0),
            "whole-transposed" => () => Tensor.Zeros([1, 1, 3, 3], DType.Int64)
                .ConvTranspose2d(Tensor.Zeros(1, 1, 2, 2), Tensor.Zeros(1)),
            "label" => () => Loss.CrossEntropy(Tensor.Zeros(1, 3), Tensor.From(new long[] { 3 })),
            "expand" => () => Tensor.Zeros(2, 3).Expand(2, 4),
            "gather" => () => Tensor.Zeros(1, 3).Gather(1, Tensor.From(new long[] { 5 }, 1, 1)),
            "linear" => () => Tensor.Scalar(1).Linear(Tensor.Zeros(4, 3), Tensor.Zeros(4)),
            _ => () => Tensor.Zeros(0).Max(),
        };
        Assert.Equal(message, Assert.Throws<AdjointException>(act).Message);
    }
}
