using Adjoint.Memory;

namespace Adjoint.Tests.Memory;

public class SlabLayoutTests
{
    [Fact]
    public void Buffers_that_are_needed_together_share_no_byte()
    {
        var seed = Environment.TickCount;
        for (var round = 0; round < 300; round++)
        {
            var random = new Random(seed + round);
            var calls = random.Next(1, 60);
            BufferUse[] uses = [.. Enumerable.Range(0, random.Next(0, 80)).Select(_ =>
            {
                var first = random.Next(calls);
                var bytes = random.Next(1, random.Next(2) == 0 ? 300 : 9000);
                return new BufferUse(first, random.Next(first, calls), bytes);
            })];
            long[] ready = [.. Enumerable.Range(0, random.Next(12)).Select(_ => (long)random.Next(1, 12_000))];
            var capacity = random.Next(2) == 0 ? 9024L : long.MaxValue;
            var layout = new SlabLayout(uses, ready, capacity);
            var slabs = layout.Slabs.ToArray();
            var about = $"seed {seed + round}";

            var together = Enumerable.Range(0, calls).Max(at =>
                uses.Where(use => use.First <= at && at <= use.Last).Sum(use => (use.ByteLength + 63L) & ~63L));
            Assert.True(layout.LowerBound == together, about);
            Assert.True(layout.Bytes >= together && layout.Bytes == slabs.Sum(slab => slab.Bytes), about);
            foreach (var (bytes, piece) in slabs)
                Assert.True(piece < 0 ? bytes <= capacity : bytes == ready[piece], about);
            var pieces = slabs.Where(slab => slab.Ready >= 0).Select(slab => slab.Ready).ToArray();
            Assert.True(pieces.Distinct().Count() == pieces.Length, about);
            for (var i = 0; i < uses.Length; i++)
            {
                var (slab, from) = layout[i];
                var to = from + uses[i].ByteLength;
                Assert.True(from >= 0 && from % 64 == 0 && to <= slabs[slab].Bytes, about);
                for (var k = 0; k < i; k++)
                    Assert.True(
                        layout[k].Slab != slab || uses[k].Last < uses[i].First || uses[i].Last < uses[k].First
                        || layout[k].Offset + uses[k].ByteLength <= from || to <= layout[k].Offset,
                        $"{about}: {uses[k]} and {uses[i]}");
            }
        }
    }

    [Fact]
    public void What_is_needed_in_turn_lies_in_the_same_bytes()
    {
        // A chain: each buffer is read by the call that writes the next.
        BufferUse[] chain = [.. Enumerable.Range(0, 100).Select(i => new BufferUse(i, i + 1, 6400))];
        var layout = new SlabLayout(chain);
        Assert.Equal((2 * 6400, 2 * 6400, 100 * 6400), (layout.Bytes, layout.LowerBound, layout.Sum));
        // Forward and back: what was made first is needed last.
        BufferUse[] nested = [.. Enumerable.Range(0, 50).Select(i => new BufferUse(i, 100 - i, 64 * (1 + i % 7)))];
        Assert.Equal(nested.Sum(use => use.ByteLength), new SlabLayout(nested).Bytes);
        Assert.Equal(0, new SlabLayout([]).Bytes);
    }

    [Fact]
    public void Pieces_that_are_there_are_used_where_they_are_hardly_larger()
    {
        var layout = new SlabLayout([new(0, 3, 6400), new(1, 2, 6400), new(2, 3, 1280)], [100_000, 7000, 64]);
        Assert.Equal([(7000L, 1), (6400 + 1280, -1)], layout.Slabs);
        // Bytes beyond a slab's capacity go to another slab.
        Assert.Equal(3, new SlabLayout([new(0, 1, 640), new(0, 1, 640), new(0, 1, 640)], capacity: 1000).Slabs.Count());
    }
}
