using System.Runtime.InteropServices;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Every op at sizes that several threads share: values and gradients, by both rules, have the same bits on 1, 2, 3 and
/// 8 threads.
/// </summary>
public class ThreadCasesTests
{
    // More than two chunks of every driver, and a rest.
    private const int Length = 40_009;

    private static readonly Tensor Labels = Integers(3000, 10);

    // Rows whose inputs have a size of their own; element-wise ones come from the table.
    private static readonly (string Name, Func<Tensor[], Tensor> Call, int[][] Shapes)[] Large =
    [
        ("Sum", x => x[0].Sum(), [[Length]]),
        ("Sum of rows", x => x[0].Sum(1), [[300, 301]]),
        ("Sum of columns", x => x[0].Sum(0), [[701, 130]]),
        ("CumSum", x => x[0].CumSum(1), [[150, 301]]),
        ("CumSum of columns", x => x[0].CumSum(0), [[301, 150]]),
        ("Max", x => x[0].Max(1), [[300, 301]]),
        ("Min", x => x[0].Min(0), [[300, 301]]),
        ("TopK", x => x[0].TopK(7, 1).Values, [[300, 301]]),
        ("Split", x => x[0].Split(100, 1)[1], [[300, 301]]),
        ("Expand", x => x[0].Expand(300, 301), [[300, 1]]),
        ("Reshape", x => x[0].Reshape(-1) * 2, [[300, 301]]),
        ("Permute", x => x[0].Permute(2, 0, 1).Clone(), [[41, 43, 47]]),
        ("Slice", x => x[0].Slice(1, 3, 200, step: 1), [[300, 301]]),
        ("Concat", x => Tensor.Concat([x[0], x[1]], 1), [[300, 301], [300, 77]]),
        ("Gather", x => x[0].Gather(1, Integers(3000, 10, 15)), [[200, 10]]),
        ("Where", x => Tensor.Where(x[1].Detach().Greater(0), x[0], x[1]), [[Length], [Length]]),
        ("Cast", x => x[0].To(DType.Float64), [[Length]]),
        ("MatMul", x => x[0].MatMul(x[1]), [[130, 257], [257, 190]]),
        ("MatMul of a batch", x => x[0].MatMul(x[1]), [[19, 30, 40], [19, 40, 50]]),
        ("Linear", x => x[0].Linear(x[1], x[2]), [[300, 130], [70, 130], [70]]),
        ("Softmax", x => x[0].Softmax(), [[300, 301]]),
        ("LogSoftmax", x => x[0].LogSoftmax(), [[300, 301]]),
        ("Conv2d", x => x[0].Conv2d(x[1], x[2], padding: 1), [[5, 16, 19, 21], [24, 16, 3, 3], [24]]),
        ("Conv2d strided", x => x[0].Conv2d(x[1], null, 2), [[5, 16, 19, 21], [24, 16, 3, 3]]),
        ("ConvTranspose2d", x => x[0].ConvTranspose2d(x[1], x[2], 2), [[5, 16, 11, 13], [16, 12, 3, 3], [12]]),
        ("MaxPool2d", x => x[0].MaxPool2d(3, 2, 1), [[5, 16, 31, 33]]),
        ("slopes of MaxPool2d", Slopes, [[5, 16, 30, 32], [5, 16, 15, 16]]),
        ("AvgPool2d", x => x[0].AvgPool2d(2), [[5, 16, 31, 33]]),
        ("BatchNorm", x => x[0].BatchNorm(x[1], x[2]), [[17, 12, 15, 16], [12], [12]]),
        ("LayerNorm", x => x[0].LayerNorm(x[1], x[2]), [[300, 301], [301], [301]]),
        ("IndexSelect", x => x[0].IndexSelect(0, Integers(3000, 200)), [[200, 30]]),
        ("Embedding", x => x[0].Embedding(Integers(3000, 200)), [[200, 30]]),
        ("CrossEntropy", x => Loss.CrossEntropy(x[0], Labels, 0.1), [[3000, 10]]),
        ("used twice", x => (x[0].Exp() + x[0].Sin()) * x[0], [[Length]]),
    ];

    private static readonly (string Name, Func<Tensor[], Tensor> Call, int[][] Shapes)[] All =
    [
        .. OpCases.All.Where(row => row.Elementwise)
            .Select(row => (row.Name, row.Call, Array.ConvertAll(row.Shapes, _ => (int[])[Length]))),
        .. Large,
    ];

    public static TheoryData<string> Names() => [.. All.Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public void The_bits_do_not_depend_on_the_number_of_threads(string name)
    {
        var row = All.Single(row => row.Name == name);
        byte[][]? first = null;
        foreach (var threads in Threads.Of(1, 2, 3, 8))
        {
            var bits = Results(row.Call, row.Shapes).Select(Bits).ToArray();
            first ??= bits;
            for (var i = 0; i < bits.Length; i++)
                Assert.True(first[i].AsSpan().SequenceEqual(bits[i]), $"{name}: result {i} on {threads} threads");
        }
    }

    [Fact]
    public void Every_op_is_in_some_row()
    {
        var seen = All.SelectMany(row => Results(row.Call, row.Shapes)).SelectMany(OpCasesTests.OpsUnder)
            .Select(OpCasesTests.TypeOf).ToHashSet();
        // Moving to another device is one copy; those without gradients are in LogicTests.
        Assert.Empty(OpCasesTests.OpTypes().Except(seen).Except([typeof(TransferOp), typeof(AndOp), typeof(OrOp),
            typeof(XorOp), typeof(NotOp), typeof(AnyOp), typeof(AllOp)]));
    }

    // The value, the gradients in one pass over memory, and those composed of ops, with their history.
    private static IEnumerable<Tensor> Results(Func<Tensor[], Tensor> call, int[][] shapes)
    {
        Tensor[] x = [.. shapes.Select((shape, i) => Tensor.Randn(shape, new Generator(11, (ulong)i)).RequireGrad())];
        var y = call(x);
        var weights = Tensor.Randn(y.Shape, new Generator(12), y.DType).RequireGrad();
        var fused = Differentiation.Gradients(y, x, weights, retainGraph: true);
        var composed = Differentiation.Gradients(y, x, weights, createGraph: true);
        return [y, .. fused.OfType<Tensor>(), .. composed.OfType<Tensor>()];
    }

    private static Tensor Slopes(Tensor[] x) =>
        Differentiation.Gradients(x[0].MaxPool2d(2), [x[0]], x[1], createGraph: true)[0]!;

    private static byte[] Bits(Tensor tensor) =>
        MemoryMarshal.AsBytes(tensor.To(DType.Float64).ToArray<double>().AsSpan()).ToArray();

    private static Tensor Integers(int count, int below, int columns = 0)
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, count).Select(_ => (long)random.Next(below)).ToArray();
        return columns == 0 ? Tensor.From(values) : Tensor.From(values, count / columns, columns);
    }
}
