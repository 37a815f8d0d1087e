using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Sizes;

/// <summary>Sizes whose products leave 32 bits.</summary>
public class SizeLimitTests
{
    [Fact]
    public void Shapes_that_broadcast_to_too_many_elements_are_refused()
    {
        var (column, row) = (Tensor.Zeros(66000, 1), Tensor.Zeros(1, 66000));
        const string message = "Shape: (66000, 66000) has more than 2,147,483,647 elements; split the tensor";
        Assert.Equal(message, Assert.Throws<AdjointException>(() => column - row).Message);
        Assert.Equal(message, Assert.Throws<AdjointException>(() => column.Greater(row)).Message);
        Assert.Equal(message, Assert.Throws<AdjointException>(() => Tensor.Where(column.Greater(0), row, row)).Message);
        Assert.Equal(message, Assert.Throws<AdjointException>(() => Loss.Mse(column, column.Expand(66000,
            66000))).Message);
        Assert.Contains("bytes do not fit", Assert.Throws<AdjointException>(() => Tensor.Ones(40000,
            1) + Tensor.Ones(40000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_order_of_sizes_does_not_matter()
    {
        foreach (var sizes in (int[][])[[0, 66000, 66000], [66000, 0, 66000], [66000, 66000, 0]])
            Assert.Throws<AdjointException>(() => Shape.Create(sizes));
        Assert.Equal(0, Tensor.Zeros(int.MaxValue, 0).Length);
        Assert.Equal(0, Tensor.Zeros(0, int.MaxValue).Length);
    }

    [Fact]
    public void A_transposed_convolution_with_a_long_stride_is_right_or_refused()
    {
        Assert.Contains("ConvTranspose2d: an axis of the result would have size 4294967297",
            Assert.Throws<AdjointException>(() => Tensor.Ones(1, 1, 65537, 1).ConvTranspose2d(Tensor.Ones(1, 1, 1, 1),
                stride: (65536, 1))).Message, StringComparison.Ordinal);
        var y = Tensor.Ones(1, 1, 3, 1).ConvTranspose2d(Tensor.Full([1, 1, 1, 1], 2), stride: (65536, 1));
        Assert.Equal(131073, y.Shape[2]);
        Assert.Equal([0, 65536, 131072], Enumerable.Range(0, y.Length).Where(i => y.ItemAt(0, 0, i, 0) == 2));
    }

    [Fact]
    public void A_stride_beyond_the_input_takes_one_step()
    {
        foreach (var stride in (int[])[6, 1 << 20, int.MaxValue])
        {
            var (x, w) = (Tensor.Randn([2, 1, 5, 5], new Generator(1), DType.Float64).RequireGrad(), Tensor.Randn([2,
                1, 3, 3], new Generator(2), DType.Float64).RequireGrad());
            var y = x.Conv2d(w, stride: stride);
            Assert.Equal((Shape)(int[])[2, 2, 1, 1], y.Shape);
            for (var n = 0; n < 2; n++)
                for (var f = 0; f < 2; f++) Assert.Equal((x[n, 0, ..3, ..3] * w[f, 0]).Sum().Item(), y.ItemAt(n, f, 0,
                    0), 1e-12);
            y.Sum().Backward();
            Assert.Equal(0, x.Grad!.ItemAt(0, 0, 3, 3));
            Assert.Equal((w.ItemAt(0, 0, 1, 1) + w.ItemAt(1, 0, 1, 1)), x.Grad.ItemAt(1, 0, 1, 1), 1e-12);
            Assert.Equal(x.ItemAt(0, 0, 2, 1) + x.ItemAt(1, 0, 2, 1), w.Grad!.ItemAt(1, 0, 2, 1), 1e-12);
        }
    }

    [Fact]
    public void Padding_that_takes_more_memory_than_there_is_in_one_piece_is_refused_with_the_limit()
    {
        var error = Assert.Throws<AdjointException>(() => Tensor.Ones(1, 1, 4, 4).Conv2d(Tensor.Ones(1, 1, 3, 3),
            padding: 30000, dilation: 30000));
        Assert.Contains("bytes of scratch memory are needed at once; one buffer holds at most 2,147,483,527",
            error.Message, StringComparison.Ordinal);
        Assert.Contains("less padding", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dilation_and_padding_beyond_32_bits_cancel_as_they_should()
    {
        // Of the taps only the middle one meets the input.
        var y = Tensor.Full([1, 1, 1, 2], 3).Conv2d(Tensor.From(new float[] { 5, 7, 11 }, 1, 1, 1, 3), padding: (0,
            1 << 20), dilation: (1, 1 << 20));
        Assert.Equal([21, 21], y.ToArray<float>());
    }

    [Fact]
    public void Positions_of_any_int_are_answered_or_refused()
    {
        var x = Tensor.Arange(6).Reshape(2, 3);
        Assert.Equal("Index: ^2147483648 is outside axis 0 of (2, 3), of size 2",
            Assert.Throws<AdjointException>(() => x[int.MinValue]).Message);
        Assert.Equal("Index: ^3 is outside axis 0 of (2, 3), of size 2", Assert.Throws<AdjointException>(() =>
            x[-3]).Message);
        Assert.Equal("Index: ^0 is outside axis 0 of (2, 3), of size 2", Assert.Throws<AdjointException>(() =>
            x[^0]).Message);
        Assert.Equal([3, 4, 5], x[-1].ToArray<long>());
        Assert.Equal([3, 4, 5], x[^1].ToArray<long>());
        Assert.Equal(5, x[int.MaxValue - int.MaxValue + 1, ^1].Item());
    }

    [Fact]
    public void Eye_and_Arange_fill_their_own_type_or_refuse()
    {
        Assert.Equal([1, 0, 0, 0, 1, 0], Tensor.Eye(2, 3).ToArray<float>());
        Assert.Equal([1, 0, 0, 1, 0, 0], Tensor.Eye(3, 2, DType.Int64).ToArray<long>());
        Assert.Equal([true, false, false, true], Tensor.Eye(2, dtype: DType.Bool).ToArray<bool>());
        Assert.Equal(0, Tensor.Eye(0).Length);
        Assert.Contains("bytes do not fit", Assert.Throws<AdjointException>(() => Tensor.Eye(32768)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Shape: (65536, 65536)", Assert.Throws<AdjointException>(() => Tensor.Eye(65536)).Message,
            StringComparison.Ordinal);
        Assert.Equal([2, 1.5f, 1, 0.5f], Tensor.Arange(2, 0, -0.5).ToArray<float>());
        Assert.Equal([0, 1, 2], Tensor.Arange(0, 2.5, 1, DType.Float64).ToArray<double>());
        Assert.Equal([false, true], Tensor.Arange(0, 2, 1, DType.Bool).ToArray<bool>());
        Assert.Contains("Arange: 1E+18 elements", Assert.Throws<AdjointException>(() => Tensor.Arange(0,
            1e18)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Adaptive_pooling_to_more_than_there_is_ends()
    {
        var x = Tensor.Arange(0, 3, 1, DType.Float64).Reshape(1, 1, 1, 3).RequireGrad();
        var y = x.AdaptiveAvgPool2d((1, 1_000_000));
        for (var i = 0; i < 1_000_000; i += 4999)
        {
            var (first, end) = ((int)(i * 3L / 1_000_000), (int)(((i + 1L) * 3 + 999_999) / 1_000_000));
            Assert.Equal(Enumerable.Range(first, end - first).Average(), y.ItemAt(0, 0, 0, i));
        }
        y.Sum().Backward();
        Assert.Equal(1_000_000, x.Grad!.Sum().Item(), 1e-6);
        Assert.Contains("largest", Assert.Throws<AdjointException>(() => x.AdaptiveAvgPool2d((1,
            int.MaxValue))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_larger_than_the_data_is_one_batch()
    {
        var data = new TensorDataset("three", [1], [1, 2, 3], [0, 1, 0], ["0", "1"]);
        var loader = new DataLoader(data, int.MaxValue);
        Assert.Equal(1, loader.Count);
        Assert.Equal([3], loader.Select(batch => batch.Inputs.Shape[0]));
        Assert.Equal(3L * int.MaxValue, new DataLoader(data, 1).StepsIn(int.MaxValue));
    }

    [Fact]
    public void Training_without_a_batch_is_refused_with_the_remedy()
    {
        var data = new TensorDataset("three", [1], [1, 2, 3], [0, 1, 0], ["0", "1"]);
        var model = new Linear(1, 2);
        Trainer Of(Dataset samples, bool dropLast) => new(model, new Sgd(model.Parameters(), 0.1),
            new ClassificationTask(), new DataLoader(samples, int.MaxValue, new() { DropLast = dropLast }),
                new DataLoader(data, 3));
        var error = Assert.Throws<AdjointException>(() => Of(data, dropLast: true).Fit(1));
        Assert.Equal(
            "Trainer: the 3 samples of three do not fill a batch of 2147483647, and dropLast leaves the rest out: "
            + "nothing would be trained; use a smaller batch or dropLast: false", error.Message);
        Assert.Contains("no samples", Assert.Throws<AdjointException>(() => Of(data.Slice("none", 0, 0),
            dropLast: false).Fit(1)).Message, StringComparison.Ordinal);
        Assert.Equal(2, Of(data, dropLast: false).Fit(1).Epochs.Count);
    }

    [Fact]
    public void Schedules_take_more_steps_than_an_int_counts()
    {
        Assert.Equal(1, Schedule.Cosine(3L * int.MaxValue).Factor(1), 1e-9);
        Assert.InRange(Schedule.Cosine(2L * int.MaxValue).Factor(int.MaxValue), 0.4999, 0.5001);
        Assert.InRange(Schedule.Triangular(4L * int.MaxValue).Factor(int.MaxValue), 0.8, 1);
    }
}
