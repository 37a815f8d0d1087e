namespace Adjoint.Tests.Ops;

internal static class LogicCases
{
    private const string Exactly = "LogicTests";

    internal static OpCase[] Rows { get; } =
    [
        Bits("And", (a, b) => a & b) with
        {
            Bad =
            [
                new(() => _ = Tensor.Zeros(2) & Tensor.Zeros([2], DType.Bool), "And: computes on integer or bool "
                    + "types: found float32 and bool; compare first, as in x.Greater(0)"),
            ],
        },
        Bits("Or", (a, b) => a | b) with
        {
            Bad =
            [
                new(() => _ = Tensor.Zeros([2], DType.Int32) | Tensor.Zeros([3], DType.Bool),
                    "Or: shapes do not broadcast: (2,) and (3,): sizes 2 and 3 at axis -1 must be equal or 1"),
            ],
        },
        Bits("Xor", (a, b) => a ^ b) with
        {
            Bad =
            [
                new(() => _ = Tensor.Zeros([2], DType.UInt8) ^ 256,
                    "Xor: uint8 has no 256, only 0 to 255; cast the tensor with .To(DType.Int64)"),
            ],
        },
        Bits("And, as a method", (a, b) => a & b, (x, y) => x.And(y)),
        Bits("Or, as a method", (a, b) => a | b, (x, y) => x.Or(y)),
        Bits("Xor, as a method", (a, b) => a ^ b, (x, y) => x.Xor(y)),
        OpCase.Unary("Not", a => ~(long)a, ToWhole) with
        {
            Types = OpCase.WholeOrTruth, OfTruth = a => !a, Exact = (x, _) => ~x, SpecialPoints = Exactly,
            Bad =
            [
                new(() => _ = ~Tensor.Zeros(2),
                    "Not: computes on integer or bool types: found float32; use LogicalNot, which compares with 0"),
            ],
        },
        OpCase.Unary("Not, as a method", a => ~(long)a, ToWhole, x => x.Not()) with
        {
            Types = OpCase.WholeOrTruth, OfTruth = a => !a, IsDifferentiable = false, SpecialPoints = Exactly,
        },
        Truth("LogicalNot", a => a == 0, x => x.LogicalNot()),
        Truth("LogicalNot, as an operator", a => a == 0, x => !x),
        Truth("IsNaN", double.IsNaN, x => x.IsNaN()),
        Truth("IsInfinity", double.IsInfinity, x => x.IsInfinity()),
        Truth("IsFinite", double.IsFinite, x => x.IsFinite()),
    ];

    private static OpCase Bits(
        string name, Func<long, long, long> reference, Func<Tensor, Tensor, Tensor>? call = null) =>
        OpCase.Binary(name, (a, b) => reference((long)a, (long)b), ToWhole, call) with
        {
            Types = OpCase.WholeOrTruth,
            IsDifferentiable = false,
            SpecialPoints = Exactly,
            Exact = (x, y) => reference((long)x, (long)y),
            Large = new([[401, 300], [300]]),
            Empty = [new([[0, 3], [3]], [0, 3])],
        };

    private static OpCase Truth(string name, Func<double, bool> reference, Func<Tensor, Tensor> call) =>
        OpCase.Unary(name, a => reference(a) ? 1 : 0, call: call) with
        {
            IsDifferentiable = false,
            SpecialPoints = Exactly,
        };

    private static double ToWhole(double x) => Math.Truncate(x * 100);
}
