using System.Runtime.InteropServices;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Every op at sizes that several threads share: values and gradients, by both rules, have the same bits on 1, 2, 3 and
/// 8 threads, and all memory is given back.
/// </summary>
public class ThreadCasesTests
{
    // More than two chunks of every driver, and a rest.
    private const int Length = 40_009;

    // Rows whose inputs have a size of their own, and the element-wise ones.
    private static readonly Dictionary<string, (OpCase Row, Sample Sample)> All = OpCases.All
        .Select(row => (row, row.Large ?? (row.IsElementwise
            ? new([.. row.Shapes.Select(_ => (int[])[Length])])
            : null)))
        .Where(one => one.Item2 is not null).ToDictionary(one => one.row.Name, one => (one.row, one.Item2!));

    public static TheoryData<string> Names() => [.. All.Keys];

    [Theory, MemberData(nameof(Names))]
    public void The_bits_do_not_depend_on_the_number_of_threads(string name)
    {
        byte[][]? first = null;
        foreach (var threads in Threads.Of(1, 2, 3, 8))
        {
            var bits = Results(name).Select(Bits).ToArray();
            first ??= bits;
            for (var i = 0; i < bits.Length; i++)
                Assert.True(first[i].AsSpan().SequenceEqual(bits[i]), $"{name}: result {i} on {threads} threads");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void All_memory_is_given_back(string name)
    {
        Drop(name);
        var before = Rented();
        Drop(name);
        Assert.Equal(before, Rented());
    }

    [Fact]
    public void Every_op_is_in_some_row()
    {
        using var recording = new RecordGraph();
        var seen = All.Keys.SelectMany(Results).SelectMany(OpCases.OpsUnder).Select(OpCases.TypeOf).ToHashSet();
        // Moving to another device is one copy.
        Assert.Empty(OpCases.OpTypes().Except(seen).Except([typeof(TransferOp)]));
    }

    // The value, the gradients in one pass over memory, and those composed of ops, with their history.
    private static IEnumerable<Tensor> Results(string name)
    {
        var (row, sample) = All[name];
        Tensor Leaf(int[] shape, int i) => row.Types.Contains(DType.Float32)
            ? Tensor.Randn(shape, new Generator(11, (ulong)i)).RequireGrad()
            : (Tensor.Randn(shape, new Generator(11, (ulong)i)) * 1000).To(row.Types[0]).Detach();
        Tensor[] x = [.. sample.Shapes.Select(Leaf)];
        var y = (sample.Call ?? row.Call)(x);
        if (!y.RequiresGrad || !row.IsDifferentiable) return [y];
        var weights = Tensor.Randn(y.Shape, new Generator(12), y.DType).RequireGrad();
        var fused = Differentiation.Gradients(y, x, weights, retainGraph: true);
        var composed = Differentiation.Gradients(y, x, weights, createGraph: true);
        return [y, .. fused.OfType<Tensor>(), .. composed.OfType<Tensor>()];
    }

    // In a frame of its own, which keeps nothing alive.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Drop(string name) => _ = Results(name).Count();

    private static long Rented()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return TensorMemory.RentedBytes;
    }

    private static byte[] Bits(Tensor tensor) =>
        MemoryMarshal.AsBytes(tensor.To(DType.Float64).ToArray<double>().AsSpan()).ToArray();
}
