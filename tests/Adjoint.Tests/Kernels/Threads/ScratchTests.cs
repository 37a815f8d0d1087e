using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

public unsafe class ScratchTests
{
    [Fact]
    public void A_slot_has_one_user_at_a_time()
    {
        using (Scratch.Rent<float>(ScratchSlot.Sums, 10))
        {
            var error = Assert.Throws<InvalidOperationException>(() => Scratch.Rent<double>(ScratchSlot.Sums, 1)
                .Dispose());
            Assert.Contains("Sums", error.Message, StringComparison.Ordinal);
        }
        Scratch.Rent<float>(ScratchSlot.Sums, 10).Dispose();
    }

    [Fact]
    public void Slots_and_threads_are_apart_and_aligned()
    {
        const int Length = 1000;
        var addresses = new List<nint>();
        foreach (var slot in Enum.GetValues<ScratchSlot>()) Collect(slot);
        var thread = new Thread(() => Collect(ScratchSlot.PackedA));
        using (Scratch.Rent<double>(ScratchSlot.PackedA, Length))
        {
            thread.Start();
            thread.Join();
        }
        addresses.Sort();
        Assert.All(addresses, address => Assert.Equal(0, address % 64));
        for (var i = 1; i < addresses.Count; i++)
            Assert.True(addresses[i] - addresses[i - 1] >= Length * sizeof(double));

        void Collect(ScratchSlot slot)
        {
            using var lease = Scratch.Rent<double>(slot, Length);
            new Span<double>(lease.Pointer, Length).Fill(1);
            lock (addresses) addresses.Add((nint)lease.Pointer);
        }
    }

    [Fact]
    public void More_than_one_buffer_holds_is_an_error_and_leaves_the_slot_free()
    {
        var error = Assert.Throws<ScratchLimitException>(
            () => Scratch.Rent<double>(ScratchSlot.Image, ScratchLimitException.Limit / sizeof(double) + 1).Dispose());
        Assert.True(error.Bytes > ScratchLimitException.Limit);
        Scratch.Rent<double>(ScratchSlot.Image, 1).Dispose();
    }
}
