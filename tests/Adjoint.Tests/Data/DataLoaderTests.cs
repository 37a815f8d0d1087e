using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Batches of any fields, in any order, prepared by any number of workers.</summary>
public class DataLoaderTests
{
    [Fact]
    public void Fields_of_any_shape_and_type_come_by_name()
    {
        var data = new Measurements(300);
        Assert.Equal(["curve", "inputs", "targets"], data.Fields.Select(field => field.Name));
        Assert.Equal(DType.Int64, data.FieldOf("targets").DType);
        var batches = new DataLoader(data, 128).ToArray();
        Assert.Equal([128, 128, 44], batches.Select(batch => batch.Count));
        // More than 256 classes, and each tensor in its own type.
        Assert.Equal(299, batches[2].Targets.ItemAt(43));
        Assert.Equal((Shape)(int[])[128, 2, 3], batches[0]["curve"].Shape);
        Assert.Equal(DType.Float64, batches[0]["curve"].DType);
        Assert.Equal([130.5, 131.5, 132.5], batches[1]["curve"][2][1].ToArray<double>());
        Assert.Equal([2, 1, 0], new DataLoader(data, 3, new() { Sampler = new Backwards(3) }).Single().Indices);
        var (x, y) = batches[0];
        Assert.Equal(x[5].Item(), y[5].Item() / 2.0);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(7, 3)]
    [InlineData(3, 9)]
    public void Workers_and_prefetching_change_nothing(int prefetch, int workers)
    {
        float[] Values(int prefetch, int workers) =>
        [
            .. new DataLoader(new Measurements(101), 8, new()
            {
                Shuffle = true, Seed = 3, Prefetch = prefetch, Workers = workers, Transforms = [new Noise()],
                BatchTransforms = [new AddNoise()],
            }) { Start = 2 }.SelectMany(batch => batch.Inputs.ToArray<float>()),
        ];
        Assert.Equal(Values(0, 1), Values(prefetch, workers));
        Assert.Equal(101 - 16, Values(prefetch, workers).Distinct().Count());
    }

    [Fact]
    public void At_most_as_many_samples_are_read_at_once_as_there_are_workers()
    {
        var data = new Counting(60);
        foreach (var workers in (int[])[1, 2])
        {
            data.Most = 0;
            Assert.Equal(60, new DataLoader(data, 1, new() { Prefetch = 6, Workers = workers }).Count());
            Assert.InRange(data.Most, 1, workers);
        }
    }

    [Fact]
    public void What_a_data_set_throws_arrives_where_its_batch_would()
    {
        foreach (var workers in (int[])[1, 2])
        {
            var seen = 0;
            var error = Assert.Throws<InvalidDataException>(() =>
            {
                foreach (var batch in new DataLoader(new Broken(), 2, new() { Prefetch = 3, Workers = workers }))
                    seen += batch.Count;
            });
            Assert.Equal(("sample 7 is broken", 6), (error.Message, seen));
        }
    }

    [Fact]
    public void Samples_that_do_not_fit_together_are_refused_by_name()
    {
        var error = Assert.Throws<AdjointException>(() => new DataLoader(new Growing(), 4).First());
        Assert.Contains("samples of 'inputs' must have one shape", error.Message);
        Assert.Contains($"found {(Shape)(int[])[2]} float32 (sample 1), expected {(Shape)(int[])[1]} float32 (sample "
            + "0)", error.Message);
        Assert.Contains("there is no tensor 'targets'",
            Assert.Throws<AdjointException>(() => new DataLoader(new Growing(), 1).First().Targets).Message);
        Assert.Contains("leave one out", Assert.Throws<AdjointException>(() =>
            new DataLoader(new Growing(), 1, new() { Shuffle = true, Sampler = new Backwards(3) })).Message);
    }

    [Fact]
    public void A_sample_is_a_copy()
    {
        var data = new TensorDataset("one", [("inputs", Tensor.From([1f, 2f], 2))]);
        data[0]["inputs"].Fill(7);
        data.Load(0).Inputs.Fill(7);
        Assert.Equal([1, 2], data["inputs"].ToArray<float>());
    }

    private sealed class Measurements(int count) : Dataset("measurements")
    {
        public override int Count => count;

        public override Sample this[int index] => new()
        {
            ["curve"] = Tensor.From([0.0, 1, 2, index + 0.5, index + 1.5, index + 2.5], 2, 3),
            ["inputs"] = Tensor.From([index / 2f], 1),
            ["targets"] = Tensor.Scalar(index, DType.Int64),
        };
    }

    private sealed class Counting(int count) : Dataset("counting")
    {
        private int now;

        internal int Most { get; set; }

        public override int Count => count;

        public override Sample this[int index]
        {
            get
            {
                lock (this) Most = Math.Max(Most, ++now);
                Thread.Sleep(1);
                lock (this) now--;
                return new() { ["inputs"] = Tensor.Scalar(index) };
            }
        }
    }

    private sealed class Broken() : Dataset("broken")
    {
        public override int Count => 20;

        public override Sample this[int index] => index == 7
            ? throw new InvalidDataException("sample 7 is broken")
            : new() { ["inputs"] = Tensor.Scalar(index) };
    }

    private sealed class Growing() : Dataset("growing")
    {
        public override int Count => 3;

        public override Sample this[int index] => new() { ["inputs"] = Tensor.Zeros(index + 1) };
    }

    private sealed class Backwards(int count) : Sampler
    {
        public override int Count => count;

        public override IReadOnlyList<int> Order(int epoch) => [.. Enumerable.Range(0, count).Reverse()];
    }

    private sealed class Noise : InPlaceTransform
    {
        public override Shape OutputShape(Shape sample) => sample;

        public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random) =>
            sample[0] += random.Next(1000) / 4096f;
    }

    private sealed class AddNoise : BatchTransform
    {
        public override Batch Apply(Batch batch, ref SampleRandom random) =>
            batch.With("inputs", batch.Inputs + random.Next(1000) / 8192f);
    }
}
