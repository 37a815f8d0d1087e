namespace Adjoint.Tests.Ops;

/// <summary>What each op refuses, and how it says so: op, rule, found, remedy.</summary>
public class OpErrorTests
{
    private static readonly (Action Act, string Message)[] Refusals =
    [
        (() => Tensor.Zeros(128, 784).MatMul(Tensor.Zeros(785, 10)),
            "MatMul: inner dimensions differ: (128, 784) · (785, 10); the last axis of the left must equal the second "
            + "last of the right"),
        (() => Tensor.Zeros(2, 3).MatMul(Tensor.Zeros(4, 3)),
            "MatMul: inner dimensions differ: (2, 3) · (4, 3); transpose the right operand?"),
        (() => Tensor.Zeros(2, 3).MatMul(Tensor.Zeros([3, 2], DType.Float64)),
            "MatMul: both operands must be of one floating or integer type: found float32 and float64; cast one with "
            + ".To(…)"),
        (() => Tensor.Zeros(2, 3, 4).MatMul(Tensor.Zeros(3, 4, 5)),
            "MatMul: shapes do not broadcast: (2,) and (3,): sizes 2 and 3 at axis -1 must be equal or 1"),
        (() => Tensor.Scalar(1).MatMul(Tensor.Zeros(2)),
            "MatMul: a scalar has no rows: found () · (2,); multiply with *"),
        (() => Tensor.Scalar(1).Linear(Tensor.Zeros(4, 3), Tensor.Zeros(4)),
            "Linear: an input (n, 3) is needed: found () for weights (4, 3); the last axis must be the number of "
            + "inputs"),
        (() => Tensor.Zeros(2, 3).Linear(Tensor.Zeros(4, 3), Tensor.Zeros(3)),
            "Linear: the bias must be (4,): found (3,)"),
        (() => Tensor.Zeros(2, 3).Reshape(4, 2),
            "Reshape: (2, 3) has 6 elements, (4, 2) has 8; the product of the sizes must stay"),
        (() => Tensor.Zeros(2, 3).Reshape(4, -1),
            "Reshape: 6 elements of (2, 3) do not fill (4, -1); the sizes must divide them, with at most one −1"),
        (() => Tensor.Zeros(2, 3).Expand(2, 4),
            "Expand: (2, 3) does not expand to (2, 4); sizes, aligned at the last axis, must be equal or 1"),
        (() => Tensor.Zeros(2, 3).Permute(0, 0), "Permute: (0, 0) is not an order of the 2 axes of (2, 3)"),
        (() => Tensor.Zeros(2, 3).Slice(1, 2, 2),
            "Slice: 2 elements from 2 in steps of 1 are not inside axis 1 of (2, 3), of size 3"),
        (() => Tensor.Concat([Tensor.Zeros(2, 3), Tensor.Zeros(3, 2)], 1),
            "Concat: tensors must agree in type and in every axis but 1: found (2, 3) float32 and (3, 2) float32"),
        (() => Tensor.Concat([]), "Concat: at least one tensor is needed"),
        (() => _ = Tensor.Zeros(2) & Tensor.Zeros([2], DType.Bool),
            "And: computes on integer or bool types: found float32 and bool; compare first, as in x.Greater(0)"),
        (() => _ = Tensor.Zeros([2], DType.Int32) | Tensor.Zeros([3], DType.Bool),
            "Or: shapes do not broadcast: (2,) and (3,): sizes 2 and 3 at axis -1 must be equal or 1"),
        (() => _ = Tensor.Zeros([2], DType.UInt8) ^ 256,
            "Xor: uint8 has no 256, only 0 to 255; cast the tensor with .To(DType.Int64)"),
        (() => _ = ~Tensor.Zeros(2),
            "Not: computes on integer or bool types: found float32; use LogicalNot, which compares with 0"),
        (() => Tensor.Zeros(2, 3).Any(2), "Any: axis 2 is outside (2, 3); use -2..1"),
        (() => Tensor.Zeros(2, 3).All([0, 0]), "All: axis 0 is named twice"),
        (() => Tensor.Zeros(2, 3).Sum(2), "Sum: axis 2 is outside (2, 3); use -2..1"),
        (() => Tensor.Zeros(2, 3).Sum([1, -1]), "Sum: axis -1 is named twice"),
        (() => Tensor.Scalar(1).Sum(0), "Sum: axis 0 is outside (); a scalar has none: .Reshape(1) makes it a vector"),
        (() => Tensor.Zeros(0).Max(), "Max: there is no largest of nothing: (0,)"),
        (() => Tensor.Zeros(3, 0).Min(1), "Min: there is no smallest of nothing: (3, 0)"),
        (() => Tensor.Zeros(2).CumSum(1), "CumSum: axis 1 is outside (2,); use -1..0"),
        (() => Tensor.Zeros(2, 3).TopK(4),
            "TopK: k must be from 0 to 3, the size of axis -1 of (2, 3): found 4"),
        (() => Tensor.Zeros(4, 3).Softmax(2), "Softmax: axis 2 is outside (4, 3); use -2..1"),
        (() => Tensor.Zeros(4, 3).LogSoftmax(-3), "LogSoftmax: axis -3 is outside (4, 3); use -2..1"),
        (() => Tensor.Zeros(1, 3).Gather(1, Tensor.From(new long[] { 5 }, 1, 1)),
            "Gather: index 5 at element 0 is outside axis 1 of (1, 3); use 0..2"),
        (() => Tensor.Zeros(2, 3).Gather(1, Tensor.Zeros([3, 1], DType.Int64)),
            "Gather: the index must be int64 and agree with (2, 3) in every axis but 1: found (3, 1) int64"),
        (() => Tensor.Zeros(4, 3).IndexSelect(1, 3), "IndexSelect: 3 is outside axis 1 of (4, 3); use 0..2"),
        (() => Tensor.Zeros(4, 3).Embedding(Tensor.From(new long[] { 4 })),
            "Embedding: index 4 is no row of (4, 3); use 0..3"),
        (() => Tensor.Zeros(4, 3).Embedding(Tensor.Zeros(2)),
            "Embedding: indices must be int64: found float32; use .To(DType.Int64)"),
        (() => Tensor.Where(Tensor.Zeros([3], DType.Bool), Tensor.Zeros(2), Tensor.Zeros(2)),
            "Where: shapes do not broadcast: (3,) and (2,): sizes 3 and 2 at axis -1 must be equal or 1"),
        (() => Tensor.Where(Tensor.Zeros(2), Tensor.Zeros(2), Tensor.Zeros(2)),
            "Where: the condition must be bool: found float32; compare first, as in x.Greater(0)"),
        (() => Tensor.Zeros(1, 2, 5, 5).Conv2d(Tensor.Zeros(4, 3, 3, 3)),
            "Conv2d: an input (n, 3, h, w) is needed: found (1, 2, 5, 5) for weights (4, 3, 3, 3); the channels must "
            + "be the weights' second axis"),
        (() => Tensor.Zeros(1, 3, 2, 2).Conv2d(Tensor.Zeros(4, 3, 3, 3)),
            "Conv2d: a kernel 3×3 with dilation 1 is larger than the input (1, 3, 2, 2) with padding 0; use a smaller "
            + "kernel or more padding"),
        (() => Tensor.Zeros(1, 2, 5, 5).ConvTranspose2d(Tensor.Zeros(3, 4, 3, 3)),
            "ConvTranspose2d: an input (n, 3, h, w) is needed: found (1, 2, 5, 5) for weights (3, 4, 3, 3); the "
            + "channels must be the weights' first axis"),
        (() => Tensor.Zeros([1, 1, 3, 3], DType.Int64).ConvTranspose2d(Tensor.Zeros(1, 1, 2, 2), Tensor.Zeros(1)),
            "ConvTranspose2d: input and weight must be of one floating type: found int64 and float32; cast one with "
            + ".To(…)"),
        (() => Tensor.Zeros(1, 2, 5, 5).MaxPool2d(6),
            "MaxPool2d: a window 6 is larger than the input (1, 2, 5, 5) with padding 0; use a smaller window"),
        (() => Tensor.Zeros(4, 3).BatchNorm(Tensor.Zeros(2), Tensor.Zeros(2)),
            "BatchNorm: scale and shift must be (3) float32, one for each channel: found (2,) float32"),
        (() => Loss.CrossEntropy(Tensor.Zeros(1, 3), Tensor.From(new long[] { 3 })),
            "CrossEntropy: label 3 is no class of logits (1, 3); use 0..2"),
        (() => Loss.CrossEntropy(Tensor.Zeros(2, 3), Tensor.From(new long[] { 1 })),
            "CrossEntropy: logits (n, classes) and labels (n) are needed: found (2, 3) and (1,); use .Reshape(…) on "
            + "one of them"),
    ];

    public static TheoryData<int, string> Rows() => [.. Refusals.Select((row, i) => (i, row.Message))];

    [Theory, MemberData(nameof(Rows))]
    public void Message_names_op_rule_found_and_remedy(int row, string message) =>
        Assert.Equal(message, Assert.Throws<AdjointException>(Refusals[row].Act).Message);

    [Fact]
    public void Element_wise_ops_say_how_many_they_take_and_what_does_not_broadcast()
    {
        var (x, y) = (Tensor.Zeros(2, 3), Tensor.Zeros(4));
        foreach (var op in OpCasesTests.OpsOfAllRows().Where(IsElementwise).DistinctBy(op => op.Name))
        {
            string Message(params Tensor[] inputs) =>
                Assert.Throws<AdjointException>(() => Op.Apply(op, inputs)).Message;
            if (DualTests.IsUnary(op)) Assert.Equal($"{op.Name}: takes one tensor: found 2", Message(x, y));
            else
            {
                Assert.Equal($"{op.Name}: takes two tensors: found 1", Message(x));
                Assert.Equal(
                    $"{op.Name}: shapes do not broadcast: (2, 3) and (4,): sizes 3 and 4 at axis -1 must be equal or 1",
                    Message(x, y));
            }
        }
    }

    [Fact]
    public void Every_op_that_a_user_can_call_refuses_something()
    {
        // A copy can be made of everything.
        var refusing = Refusals.Select(row => row.Message.Split(':')[0]).Append("Contiguous");
        var others = OpCatalogue.All.Select(entry => entry.Op).Where(op => !IsElementwise(op)).Select(op => op.Name);
        Assert.Empty(others.Except(refusing));
    }

    private static bool IsElementwise(Op op) => DualTests.Base(op.GetType()) is not null;
}
