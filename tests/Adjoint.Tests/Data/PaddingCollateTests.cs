using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class PaddingCollateTests
{
    [Fact]
    public void Samples_are_padded_to_the_longest_with_mask_and_lengths()
    {
        var batch = new DataLoader(new Sentences(), 3, new() { Collate = new PaddingCollate("inputs") }).First();
        Assert.Equal(["inputs", "inputs.mask", "inputs.lengths", "targets"], batch.Names);
        Assert.Equal([2L, 1, 0], batch["inputs.lengths"].ToArray<long>());
        Assert.Equal([true, true, true, false, false, false], batch["inputs.mask"].Reshape(-1).ToArray<bool>());
        Assert.Equal((Shape)(int[])[3, 2, 2], batch.Inputs.Shape);
        Assert.Equal([1, 1, 1, 1, 2, 2, 0, 0, 0, 0, 0, 0], batch.Inputs.Reshape(-1).ToArray<float>());
        Assert.Equal([0L, 1, 2], batch.Targets.ToArray<long>());
    }

    [Theory]
    [InlineData(DType.Float32), InlineData(DType.Float64), InlineData(DType.Int64), InlineData(DType.Int32)]
    [InlineData(DType.UInt8), InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Each_field_has_its_own_padding_in_its_type(DType type)
    {
        Sample[] samples =
        [
            new() { ["x"] = Tensor.Full((int[])[1], 5, type), ["y"] = Tensor.Full((int[])[2], 6, type) },
            new() { ["x"] = Tensor.Full((int[])[3], 5, type), ["y"] = Tensor.Full((int[])[1], 6, type) },
        ];
        var batch = new PaddingCollate(("x", 0), ("y", 9)) { Multiple = 4 }.Apply(samples);
        Assert.Equal((type, type), (batch["x"].DType, batch["y"].DType));
        Assert.Equal([5, 0, 0, 0, 5, 5, 5, 0], batch["x"].To(DType.Float64).Reshape(-1).ToArray<double>());
        Assert.Equal([6, 6, 9, 9, 6, 9, 9, 9], batch["y"].To(DType.Float64).Reshape(-1).ToArray<double>());
        Assert.Equal((Shape)(int[])[2, 4], batch["y.mask"].Shape);
    }

    [Fact]
    public void What_cannot_be_padded_is_refused_by_sample_and_field()
    {
        var collate = new PaddingCollate("x");
        string Fails(params Sample[] samples) =>
            Assert.Throws<AdjointException>(() => collate.Apply(samples)).Message;
        Assert.Equal("PaddingCollate: samples of 'x' may differ in the size of their first axis alone: found "
            + $"{(Shape)(int[])[2, 4]} float32 (sample 1), expected {(Shape)(int[])[2, 3]} float32 (sample 0), the "
            + "first axis of any size",
            Fails(new Sample { ["x"] = Tensor.Zeros(2, 3) }, new Sample { ["x"] = Tensor.Zeros(2, 4) }));
        Assert.Contains("expected at least one axis", Fails(new Sample { ["x"] = Tensor.Scalar(1) }),
            StringComparison.Ordinal);
        Assert.Contains("(2) int64 (sample 1)", Fails(new Sample { ["x"] = Tensor.Zeros(2) },
            new Sample { ["x"] = Tensor.From([1L, 2]) }).Replace("(2,)", "(2)", StringComparison.Ordinal),
            StringComparison.Ordinal);
        Assert.Contains("there is no tensor 'x': it has y", Fails(new Sample { ["y"] = Tensor.Zeros(2) }),
            StringComparison.Ordinal);
        Assert.Contains("found x, y (sample 1), expected x (sample 0); give them the same names",
            Fails(new Sample { ["x"] = Tensor.Zeros(1) },
                new Sample { ["x"] = Tensor.Zeros(1), ["y"] = Tensor.Zeros(1) }), StringComparison.Ordinal);
        Assert.Contains("Multiple must be positive: found 0",
            Assert.Throws<AdjointException>(() => new PaddingCollate("x") { Multiple = 0 }).Message,
            StringComparison.Ordinal);
        Assert.Contains("stands there twice",
            Assert.Throws<AdjointException>(() => new PaddingCollate("x", "x")).Message, StringComparison.Ordinal);
        Assert.Contains("name it",
            Assert.Throws<AdjointException>(() => new PaddingCollate(Array.Empty<string>())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Without_it_ragged_samples_are_refused_by_their_positions()
    {
        var loader = new DataLoader(new Sentences(), 2, new() { Sampler = new SequentialSampler(3) });
        var message = Assert.Throws<AdjointException>(() => loader.Count(batch => batch.Count > 0)).Message;
        Assert.Contains("(sample 1), expected", message, StringComparison.Ordinal);
        Assert.Contains("give the loader a PaddingCollate", message, StringComparison.Ordinal);
    }

    private sealed class Sentences() : Dataset("sentences")
    {
        public override int Count => 3;

        public override IReadOnlyList<Field> Fields =>
            [new("inputs", (int[])[2, 2], DType.Float32) { IsRagged = true }, new("targets", default, DType.Int64)];

        public override Sample this[int index] => new()
        {
            ["inputs"] = Tensor.Full((int[])[2 - index, 2], index + 1),
            ["targets"] = Tensor.Scalar(index, DType.Int64),
        };
    }
}
