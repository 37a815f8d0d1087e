using System.Runtime.CompilerServices;
using Adjoint.Nn;

namespace Adjoint.Tests.Memory;

public class TensorMemoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Ops_without_gradients_reach_a_level_and_stay_there(int threads)
    {
        CollectGarbage();
        var random = new Generator(1);
        var (x, w) = (Tensor.Randn([512, 64], random), Tensor.Randn([64, 512], random));
        long Most(int forwards)
        {
            var most = 0L;
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
            {
                using var noGrad = new NoGrad();
                for (var i = 0; i < forwards / threads; i++)
                {
                    x.MatMul(w).Relu().Relu().Relu().Relu();
                    var now = TensorMemory.RentedBytes + TensorMemory.PooledBytes;
                    for (var before = most; now > before; before = Interlocked.Read(ref most))
                        Interlocked.CompareExchange(ref most, now, before);
                }
            });
            return most;
        }

        // Each forward drops 5 MB: 2.5 GB each time. When the collector comes is its own affair, hence the margin.
        var early = Most(500);
        Assert.InRange(early, 1, 600L << 20);
        Assert.InRange(Most(500), 0, early + early / 2);
    }

    [Fact]
    public void Nobody_asks_for_a_collection()
    {
        var sources = Path.Combine(LayeringTests.Root(), "src");
        var calls =
            from path in Directory.GetFiles(sources, "*.cs", SearchOption.AllDirectories)
            where File.ReadAllText(path).Contains("GC.Collect(", StringComparison.Ordinal)
            select Path.GetFileName(path);
        // There as the last resort of a process that has no room left: see LimitedMemoryTests.
        Assert.Equal(["BufferPool.cs"], calls);

        CollectGarbage();
        using var collections = new CollectionListener();
        var before = GC.CollectionCount(0);
        Drop(400);
        var held = Enumerable.Range(0, 200).Select(_ => Tensor.Empty((int[])[512, 1024])).ToArray();
        Drop(400);
        GC.KeepAlive(held);
        Assert.True(GC.CollectionCount(0) > before, "2 GB were dropped, and nothing was collected");
        Assert.Equal(0, collections.Stop());
    }

    [Fact]
    public void A_region_without_collections_is_left_its_budget()
    {
        CollectGarbage();
        Drop(100);
        Assert.True(GC.TryStartNoGCRegion(8 << 20));
        try
        {
            // Their handles take some kilobytes; as young garbage they would weigh 20 MB and more.
            var held = Enumerable.Range(0, 20).Select(_ => Tensor.Empty((int[])[512, 1024])).ToArray();
            GC.KeepAlive(held);
            Assert.Equal(System.Runtime.GCLatencyMode.NoGCRegion, System.Runtime.GCSettings.LatencyMode);
        }
        finally
        {
            if (System.Runtime.GCSettings.LatencyMode == System.Runtime.GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
        }
    }

    [Fact]
    public async Task A_tensor_can_be_made_under_a_lock_that_a_finalizer_waits_for()
    {
        CollectGarbage();
        var gate = new Lock();
        var run = Task.Run(() =>
        {
            lock (gate)
            {
                MakeGuarded(gate);
                Drop(100);
            }
        }, TestContext.Current.CancellationToken);
        await run.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        CollectGarbage();
    }

    [Fact]
    public void The_pool_can_be_read_trimmed_and_capped()
    {
        CollectGarbage();
        var rented = TensorMemory.RentedBytes;
        Assert.Equal(0, TensorMemory.PooledBytes);
        HoldAMoment(8);
        CollectGarbage(trim: false);
        Assert.InRange(TensorMemory.RentedBytes, rented - (1 << 20), rented);
        Assert.InRange(TensorMemory.PooledBytes, 8 << 21, 10 << 21);
        TensorMemory.Trim(keep: 5 << 21);
        Assert.InRange(TensorMemory.PooledBytes, 3 << 21, 5 << 21);
        try
        {
            TensorMemory.PoolLimit = 2 << 21;
            Assert.InRange(TensorMemory.PooledBytes, 1, 2 << 21);
            HoldAMoment(8);
            CollectGarbage(trim: false);
            Assert.InRange(TensorMemory.PooledBytes, 1, 2 << 21);
            TensorMemory.PoolLimit = 0;
            HoldAMoment(8);
            CollectGarbage(trim: false);
            Assert.Equal(0, TensorMemory.PooledBytes);
            Assert.Equal(2e6, (Tensor.Ones(1000, 1000) * 2).Sum().Item());
        }
        finally
        {
            TensorMemory.PoolLimit = long.MaxValue;
        }
        Assert.Throws<AdjointException>(() => TensorMemory.PoolLimit = -1);
        Assert.Throws<AdjointException>(() => TensorMemory.Trim(-1));
    }

    [Fact]
    public void Many_threads_rent_return_and_trim_without_losing_count()
    {
        CollectGarbage();
        var before = TensorMemory.RentedBytes;
        try
        {
            Parallel.For(0, 8, thread =>
            {
                using var _ = new NoGrad();
                var x = Tensor.Full([40, 40], thread);
                for (var i = 1; i <= 2000; i++)
                {
                    x += 1;
                    if (i % 97 == 0) TensorMemory.Trim(1 << 18);
                    if (i % 500 == 0) TensorMemory.PoolLimit = i % 1000 == 0 ? 1 << 20 : long.MaxValue;
                }
                Assert.All(x.ToArray<float>(), value => Assert.Equal(thread + 2000, value));
            });
        }
        finally
        {
            TensorMemory.PoolLimit = long.MaxValue;
        }
        CollectGarbage();
        Assert.InRange(TensorMemory.RentedBytes, before - (1 << 20), before);
        Assert.Equal(0, TensorMemory.PooledBytes);
    }

    [Fact]
    public void Captured_steps_leave_the_count_right()
    {
        CollectGarbage();
        var before = TensorMemory.RentedBytes;
        CaptureAndDrop();
        CollectGarbage();
        // What the last backward pass was through stays readable.
        Assert.InRange(TensorMemory.RentedBytes, before - (1 << 20), before + (1 << 20));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CaptureAndDrop()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        for (var i = 0; i < 50; i++)
        {
            var step = CapturedStep.Create((x, _) =>
            {
                var slope = Differentiation.Gradients((x * w).Square().Sum(), [w], createGraph: true)[0]!;
                return (slope * Tensor.Full([64, 64], 2.0)).Square().Sum() + (x * w).Sum();
            }, [w]);
            for (var call = 0; call < 3; call++) step.Run(Tensor.Ones(64, 64), Tensor.Zeros(1));
        }
    }

    // Memory that is never written to, so that no page of it is needed.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop(int tensors)
    {
        for (var i = 0; i < tensors; i++) Tensor.Empty((int[])[512, 1024]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void HoldAMoment(int tensors) =>
        GC.KeepAlive(Enumerable.Range(0, tensors).Select(_ => Tensor.Empty((int[])[512, 1024])).ToArray());

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeGuarded(Lock gate)
    {
        for (var i = 0; i < 10; i++) _ = new Guarded(gate);
    }

    private static void CollectGarbage(bool trim = true)
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        if (trim) TensorMemory.Trim();
    }

    private sealed class Guarded(Lock gate)
    {
        ~Guarded()
        {
            lock (gate) { }
        }
    }
}
