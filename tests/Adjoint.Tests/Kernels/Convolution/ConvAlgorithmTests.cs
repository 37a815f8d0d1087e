using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>The lists of convolution algorithms: each is run by its name, and costs what it says.</summary>
public unsafe class ConvAlgorithmTests
{
    // One shape at least for each algorithm.
    private static readonly ConvShape[] Shapes =
    [
        new(3, 20, 9, 10, 18, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        new(9, 6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 1, 1, 1),
        new(2, 4, 12, 24, 20, 3, 5, 1, 1, 1, 0, 1, 1, 2),
        new(2, 10, 7, 7, 25, 3, 3, 2, 2, 1, 1, 1, 1, 1),
        new(3, 14, 9, 10, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        new(2, 10, 8, 7, 25, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        new(26, 33, 15, 13, 35, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        new(7, 40, 3, 3, 26, 3, 3, 1, 1, 1, 1, 1, 1, 2),
        new(3, 1, 300, 301, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1),
        new(1, 2, 520, 521, 2, 2, 3, 1, 1, 1, 1, 1, 1, 2),
    ];

    // Bits of vectors below which an algorithm does not exist; the others exist everywhere.
    private static readonly Dictionary<string, int> MinWidth = new()
    {
        ["winograd-4x4"] = 256,
        ["winograd-3x3"] = 256,
        ["direct-rows"] = 256,
        ["direct-row-pairs"] = 512,
        ["direct-filters"] = 512,
        ["WeightGradient direct-rows"] = 512,
    };

    public static TheoryData<string, string> All()
    {
        var data = new TheoryData<string, string>();
        foreach (var direction in Enum.GetValues<ConvDirection>())
            foreach (var algorithm in ConvAlgorithms<float>.For(direction)) data.Add($"{direction}", algorithm.Name);
        return data;
    }

    [Theory, MemberData(nameof(All))]
    public void Each_runs_by_its_name_and_agrees_with_plain_loops(string direction, string name)
    {
        var (way, algorithm) = Find(direction, name);
        var shapes = Shapes.Where(shape => algorithm.Supports(shape)).ToArray();
        Assert.Equal(Exists(direction, name), shapes.Length > 0);
        foreach (var shape in shapes)
        {
            using var forced = new ForcedConvAlgorithm(way, name);
            ConvReference.Of(shape).Check(way, name);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Each_is_the_choice_for_some_shape(string direction, string name)
    {
        var way = Enum.Parse<ConvDirection>(direction);
        if (!Exists(direction, name)) return;
        Assert.Contains(Shapes, shape => ConvAlgorithms<float>.Choose(way, shape).Name == name);
    }

    [Theory, MemberData(nameof(All))]
    public void Each_takes_as_much_scratch_memory_as_it_says(string direction, string name)
    {
        var (way, algorithm) = Find(direction, name);
        foreach (var shape in Shapes.Where(shape => algorithm.Supports(shape)))
            foreach (var _ in Threads.Of(1))
            {
                // The first time loads code; a new thread has no scratch memory yet.
                ScratchOnNewThread(algorithm, shape);
                var actual = ScratchOnNewThread(algorithm, shape);
                var slots = Enum.GetValues<ScratchSlot>().Length;
                // Alignment and headers of the slots, the offsets of taps, what the thread was given but has not used.
                var taps = shape.Filters * shape.Channels * shape.KernelHeight * shape.KernelWidth;
                var slack = 16384 + 200 * slots + 16 * taps;
                var said = algorithm.ScratchBytes(shape);
                Assert.True(
                    actual >= 0.95 * said && actual <= said + slack,
                    $"{way} {name} {shape}: {actual} bytes, not {said}");
            }
    }

    [Fact]
    public void What_a_forced_algorithm_does_not_support_is_an_error_that_names_both()
    {
        var strided = new ConvShape(1, 2, 9, 9, 3, 3, 3, 2, 2, 0, 0, 1, 1, 1);
        var g = stackalloc float[3 * 16];
        var dx = stackalloc float[2 * 81];
        using var forced = new ForcedConvAlgorithm(ConvDirection.DataGradient, "direct-flat");
        try
        {
            Convolution.DataGradient(strided, g, dx, dx);
            Assert.Fail("it ran");
        }
        catch (InvalidOperationException error)
        {
            Assert.StartsWith(
                $"Convolution: the forced DataGradient algorithm direct-flat does not support Single {strided} with "
                    + $"{IsaTiers.Width}-bit vectors; these do: ",
                error.Message, StringComparison.Ordinal);
            Assert.EndsWith("implicit-gemm", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_name_that_a_direction_does_not_have_is_an_error_that_lists_those_it_has()
    {
        var error = Assert.Throws<ArgumentException>(
            () => new ForcedConvAlgorithm(ConvDirection.Forward, "split-k").Dispose());
        Assert.StartsWith(
            "Convolution: Forward has no algorithm split-k; it has winograd-4x4, direct-filters, direct-row-pairs, "
                + "direct-rows, implicit-gemm",
            error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forced_name_ends_with_its_scope_and_is_of_its_thread_and_direction()
    {
        Assert.Null(ForcedConvAlgorithm.Of(ConvDirection.Forward));
        using (new ForcedConvAlgorithm(ConvDirection.Forward, "implicit-gemm"))
        {
            using (new ForcedConvAlgorithm(ConvDirection.Forward, "direct-rows"))
                Assert.Equal("direct-rows", ForcedConvAlgorithm.Of(ConvDirection.Forward));
            Assert.Equal("implicit-gemm", ForcedConvAlgorithm.Of(ConvDirection.Forward));
            Assert.Null(ForcedConvAlgorithm.Of(ConvDirection.WeightGradient));
            string? elsewhere = "";
            var thread = new Thread(() => elsewhere = ForcedConvAlgorithm.Of(ConvDirection.Forward));
            thread.Start();
            thread.Join();
            Assert.Null(elsewhere);
        }
        Assert.Null(ForcedConvAlgorithm.Of(ConvDirection.Forward));
    }

    private static bool Exists(string direction, string name) => IsaTiers.Width
        >= (MinWidth.TryGetValue($"{direction} {name}", out var own) ? own : MinWidth.GetValueOrDefault(name));

    private static (ConvDirection Direction, ConvAlgorithm<float> Algorithm) Find(string direction, string name)
    {
        var way = Enum.Parse<ConvDirection>(direction);
        return (way, ConvAlgorithms<float>.For(way).ToArray().Single(algorithm => algorithm.Name == name));
    }

    private static long ScratchOnNewThread(ConvAlgorithm<float> algorithm, ConvShape shape)
    {
        var input = new float[shape.Samples * shape.Channels * shape.Height * shape.Width];
        var output = new float[shape.Samples * shape.Filters * shape.OutHeight * shape.OutWidth];
        var weights = new float[shape.Filters * shape.Channels * shape.KernelHeight * shape.KernelWidth];
        var bytes = 0L;
        var thread = new Thread(() =>
        {
            fixed (float* x = input, y = output, w = weights)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                if (ConvAlgorithms<float>.For(ConvDirection.Forward).Contains(algorithm))
                    algorithm.Run(shape, x, w, w, y);
                else if (ConvAlgorithms<float>.For(ConvDirection.DataGradient).Contains(algorithm))
                    algorithm.Run(shape, y, w, null, x);
                else algorithm.Run(shape, x, y, null, w);
                bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            }
        });
        thread.Start();
        thread.Join();
        return bytes;
    }
}
