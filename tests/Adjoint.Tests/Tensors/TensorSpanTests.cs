using System.Runtime.CompilerServices;
using Adjoint.IO;
using Adjoint.Tests.Backends;
using Numerics = System.Numerics.Tensors;

namespace Adjoint.Tests.Tensors;

/// <summary>Tensors as <c>System.Numerics.Tensors</c> and memory of .NET see them, and back.</summary>
public class TensorSpanTests
{
    private const int Large = 50_000;

    [Fact]
    public void A_span_shows_the_elements_where_they_lie()
    {
        var x = Tensor.From([1f, 2, 3, 4, 5, 6], 2, 3).Keep();
        var span = x.AsReadOnlyTensorSpan<float>();
        Assert.Equal([2, 3], span.Lengths.ToArray());
        Assert.Equal([3, 1], span.Strides.ToArray());
        Assert.True(Numerics.Tensor.Sum(span) == 21);
        x.CopyFrom<float>([6, 5, 4, 3, 2, 9]);
        Assert.Equal(9, span[1, 2]);
    }

    [Fact]
    public void Every_layout_is_read_as_the_tensor_reads_it()
    {
        var x = Tensor.From([.. Enumerable.Range(0, 60).Select(i => (long)i)], 3, 4, 5).Keep();
        Tensor[] views =
        [
            x, x.Transpose(), x.Slice(1, 1, 2), x.Slice(2, 4, 1), x.Slice(0, 2, 1).Transpose(), x.Reshape(3, 1, 20),
            x.Reshape(60), x.Slice(1, 3, 1).Slice(0, 1, 1), x.Slice(0, 1, 1).Expand(4, 4, 5),
            x.Slice(2, 2, 1).Expand(3, 4, 6), x.Slice(1, 0, 0), x.Slice(0, 0, 0).Transpose(),
        ];
        Assert.All(views, view =>
        {
            var span = view.AsReadOnlyTensorSpan<long>();
            Assert.Equal(view.Shape.Sizes.ToArray(), span.Lengths.ToArray().Select(length => (int)length));
            Assert.Equal(view.ToArray<long>(), Flat(span));
            Assert.True(Tensor.From(span).HasBitsOf(view));
            Assert.True(Tensor.From(view.ToNumericsTensor<long>()).HasBitsOf(view));
        });
        Assert.Equal([0, 5, 1], x.Slice(0, 1, 1).Expand(4, 4, 5).AsReadOnlyTensorSpan<long>().Strides.ToArray());
    }

    [Fact]
    public void A_tensor_without_axes_is_a_vector_of_one_element()
    {
        var x = Tensor.Scalar(7, DType.Float64).Keep();
        var span = x.AsReadOnlyTensorSpan<double>();
        Assert.Equal((1, 7), (span.Rank, span[0]));
        Assert.Equal([1], x.ToNumericsTensor<double>().Lengths.ToArray());
        Assert.Equal([0], Tensor.From(default(Numerics.ReadOnlyTensorSpan<float>)).Shape.Sizes.ToArray());
    }

    [Fact]
    public void Every_element_type_goes_both_ways()
    {
        Round<float>(1.5f, -2);
        Round(1.5, -2);
        Round((BFloat16)1.5f, (BFloat16)(-2f));
        Round((Half)1.5, (Half)(-2));
        Round(1L << 40, -2);
        Round(1 << 20, -2);
        Round<byte>(1, 255);
        Round(true, false);

        static void Round<T>(params T[] values) where T : unmanaged
        {
            var x = Tensor.From(values).Keep();
            Assert.Equal(values, Flat(x.AsReadOnlyTensorSpan<T>()));
            Assert.Equal(values, Tensor.From(Numerics.Tensor.Create(values)).ToArray<T>());
            Assert.Equal(values, Tensor.From(values.AsMemory(), 2, 1).ToArray<T>());
            Assert.Equal(values, Tensor.From((ReadOnlyMemory<T>)values.AsMemory()).ToArray<T>());
        }
    }

    [Fact]
    public void What_comes_in_may_have_any_strides()
    {
        float[] values = [0, 1, 2, 3, 4, 5];
        var turned = Tensor.From(new Numerics.ReadOnlyTensorSpan<float>(values, [3, 2], [1, 3]));
        Assert.Equal([0, 3, 1, 4, 2, 5], turned.ToArray<float>());
        var repeated = Tensor.From(new Numerics.ReadOnlyTensorSpan<float>(values, [2, 3], [0, 1]));
        Assert.Equal([0, 1, 2, 0, 1, 2], repeated.ToArray<float>());
        // The elements are copies.
        values[0] = 9;
        Assert.Equal(0, turned.ItemAt(0, 0));
    }

    [Fact]
    public void A_span_that_outlives_its_tensor_shows_its_numbers()
    {
        var span = SpanOfDropped();
        for (var round = 0; round < 3; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            // Would find the buffer in the pool.
            _ = Tensor.Full([Large], 99);
        }
        Assert.True(Numerics.Tensor.Min(span) == 7 && Numerics.Tensor.Max(span) == 7);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static Numerics.ReadOnlyTensorSpan<float> SpanOfDropped() =>
            Tensor.Full([Large], 7).Keep().AsReadOnlyTensorSpan<float>();
    }

    [Fact]
    public void A_span_of_what_is_released_shows_its_numbers()
    {
        var x = Tensor.Full([Large], 2).RequireGrad();
        x.Square().Sum().Backward();
        var span = x.Grad!.AsReadOnlyTensorSpan<float>();
        x.ZeroGrad();
        _ = Tensor.Full([Large], 99);
        Assert.True(Numerics.Tensor.Min(span) == 4 && Numerics.Tensor.Max(span) == 4);
    }

    [Fact]
    public void The_pool_gets_back_what_no_span_was_taken_of()
    {
        var x = Tensor.Full([Large], 2).RequireGrad();
        x.Square().Sum().Backward();
        var gradient = x.Grad!;
        var before = gradient.Storage.Bytes.Length;
        x.ZeroGrad();
        Assert.True(gradient.IsReleased && TensorMemory.PooledBytes >= before);
        var error = Assert.Throws<AdjointException>(() => { _ = gradient.AsReadOnlyTensorSpan<float>(); });
        Assert.StartsWith("Tensor: its memory was recycled: the gradient was cleared by ZeroGrad()", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_span_cannot_show_safely_is_refused_with_a_remedy()
    {
        var x = Tensor.From([1f, 2, 3, 4]);
        Refused("AsReadOnlyTensorSpan: (4,) float32 is not kept, and Backward() would recycle its memory under the "
            + "span; call .Keep() first, or copy with .ToNumericsTensor()", () => _ = x.AsReadOnlyTensorSpan<float>());
        x.Keep();
        Refused("AsReadOnlyTensorSpan: the tensor holds float32, not int32; cast with .To(DType.Int32)",
            () => _ = x.AsReadOnlyTensorSpan<int>());
        Refused("ToNumericsTensor", () => x.ToNumericsTensor<double>());
        Refused("AsReadOnlyTensorSpan: elements of (3, 2) with strides (1, 1) overlap, which a tensor span cannot "
            + "express; take it of a .Clone().Keep()",
            () => _ = x.View(Shape.Create([3, 2]), [1, 1], 0).AsReadOnlyTensorSpan<float>());
        Refused("Tensor: its memory lies on reference 1, and is read on the CPU; move it with .To(Device.Cpu)",
            () => _ = x.To(ReferenceDevice.First).Keep().AsReadOnlyTensorSpan<float>());
        Refused("Tensor: no element type for Char", () => Tensor.From(Numerics.Tensor.Create(new[] { 'a', 'b' })));
    }

    [Fact]
    public void Pages_of_a_file_are_copied_before_a_span_is_taken()
    {
        var path = Path.GetTempFileName();
        SafeTensors.Save(path, new Dictionary<string, Tensor> { ["x"] = Tensor.Full([Large], 3) });
        using (var file = TensorFile.Open(path))
        {
            var x = file.Map("x").Keep();
            Assert.True(x.Storage.IsMapped);
            Refused("AsReadOnlyTensorSpan: (50000,) float32 are pages of a file, which a span does not keep mapped; "
                + "take it of a .Clone().Keep(), or copy with .ToNumericsTensor()",
                () => _ = x.AsReadOnlyTensorSpan<float>());
            Assert.True(Numerics.Tensor.Max(x.Clone().Keep().AsReadOnlyTensorSpan<float>()) == 3);
        }
        File.Delete(path);
    }

    [Fact]
    public void A_replay_changes_no_span_of_a_result_and_every_span_of_a_parameter()
    {
        var weight = Tensor.Full([Large], 1).RequireGrad();
        var step = CapturedFunction.Create(x => (x * weight).Sum(0));
        var input = Tensor.Full([2, Large], 3);
        for (var i = 0; i < 3; i++) step.Run(input);
        var result = step.Run(input).Keep().AsReadOnlyTensorSpan<float>();
        var parameter = weight.AsReadOnlyTensorSpan<float>();
        using (new NoGrad()) weight.CopyFrom<float>(Enumerable.Repeat(5f, Large).ToArray());
        step.Run(input);
        Assert.Equal((6, 5), (result[Large - 1], parameter[Large - 1]));
        Assert.Equal(30, step.Run(input).ItemAt(0));
        Assert.True(step.Report.Replayed > 2);
    }

    [Fact]
    public void Within_a_captured_function_what_it_computes_is_refused()
    {
        var step = CapturedFunction.Create(x =>
        {
            var y = x * 2;
            _ = y.Keep().AsReadOnlyTensorSpan<float>();
            return y;
        });
        var x = Tensor.Ones(Large);
        step.Run(x);
        var error = Assert.Throws<CaptureException>(() => step.Run(x));
        Assert.Contains("between operations", error.Message, StringComparison.Ordinal);
    }

    private static T[] Flat<T>(Numerics.ReadOnlyTensorSpan<T> span)
    {
        var values = new T[span.FlattenedLength];
        if (values.Length > 0) span.FlattenTo(values);
        return values;
    }

    private static void Refused(string message, Action action) =>
        Assert.StartsWith(message, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);
}
