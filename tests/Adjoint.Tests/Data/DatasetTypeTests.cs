using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.Data;

/// <summary>What holds of every type of data set, whatever it holds: one table of one of each.</summary>
public sealed class DatasetTypeTests : IDisposable
{
    // What has no positions.
    private static readonly Type[] Streams = [typeof(StreamingDataset)];

    private static readonly Dictionary<Type, Func<string, Dataset>> All = new()
    {
        [typeof(TensorDataset)] = _ => Plain(),
        [typeof(Subset)] = _ => Plain().Subset(7, 3, 3, 9, 0),
        [typeof(ConcatDataset)] = _ => Plain().Concat(Plain().Subset(4, 1), Plain()),
        [typeof(NpyDataset)] = OnDisk,
        [typeof(TextDataset)] = _ => new TextDataset("text", ["abcdefgh", "0123456"], new ByteText(), 3, 1),
    };

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Types() => [.. All.Keys.Select(type => type.Name)];

    [Fact]
    public void Every_type_has_a_row() =>
        Assert.Equal(
            typeof(Dataset).Assembly.GetExportedTypes().Where(type => type.IsSubclassOf(typeof(Dataset)))
                .Except(Streams).Select(type => type.Name).Order(),
            Types().Select(row => row.Data).Order());

    [Theory, MemberData(nameof(Types))]
    public void A_batch_is_its_samples_stacked(string type)
    {
        var data = Create(type);
        int[] indices = [data.Count - 1, 0, 1, 1, 0];
        var batch = data.Load(indices);
        var stacked = Collate.Stack.Apply([.. indices.Select(i => data[i])]);
        Assert.Equal(data.Fields.Select(field => field.Name), batch.Names);
        foreach (var field in data.Fields)
        {
            Assert.Equal((Shape)(int[])[5, .. field.Shape.Sizes], batch[field.Name].Shape);
            Assert.Equal(field.DType, batch[field.Name].DType);
            Assert.Equal(Values(stacked[field.Name]), Values(batch[field.Name]));
            var column = data.Column(field.Name);
            Assert.Equal(Values(data.Load([.. Enumerable.Range(0, data.Count)])[field.Name]), Values(column));
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void An_empty_batch_has_the_fields_and_what_is_outside_is_refused(string type)
    {
        var data = Create(type);
        var none = data.Load();
        Assert.Equal(0, none.Count);
        foreach (var field in data.Fields)
            Assert.Equal(((Shape)(int[])[0, .. field.Shape.Sizes], field.DType),
                (none[field.Name].Shape, none[field.Name].DType));
        foreach (var outside in (int[])[-1, data.Count, int.MaxValue, int.MinValue])
        {
            var message = $"there is no sample {outside}; use 0..{data.Count - 1}";
            Assert.Contains(message, Assert.Throws<AdjointException>(() => data[outside]).Message,
                StringComparison.Ordinal);
            Assert.Contains(message, Assert.Throws<AdjointException>(() => data.Load(0, outside)).Message,
                StringComparison.Ordinal);
        }
        Assert.Contains("there is no tensor 'no-such'",
            Assert.Throws<AdjointException>(() => data.Column("no-such")).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Types))]
    public void Several_threads_read_the_same(string type)
    {
        var data = Create(type);
        double[] Read(int prefetch, int workers) =>
        [
            .. new DataLoader(data, 2, new() { Shuffle = true, Seed = 4, Prefetch = prefetch, Workers = workers })
                .SelectMany(batch => Values(batch.Inputs)),
        ];
        Assert.Equal(Read(0, 1), Read(6, 3));
        var parts = data.Split(1, 1);
        Assert.Equal(data.Count, parts.Train.Count + parts.Validation.Count + parts.Test!.Count);
        Assert.Equal(data.Fields, parts.Train.Fields);
    }

    [Theory, MemberData(nameof(Types))]
    public void What_is_read_is_a_copy(string type)
    {
        var data = Create(type);
        var before = Values(data.Load(0, 1).Inputs);
        data[0]["inputs"].Fill(77);
        data.Load(0, 1).Inputs.Fill(77);
        data.Column("inputs").Fill(77);
        Assert.Equal(before, Values(data.Load(0, 1).Inputs));
    }

    private Dataset Create(string type) => All.Single(row => row.Key.Name == type).Value(folder);

    private static double[] Values(Tensor x) => x.To(DType.Float64).Reshape(-1).ToArray<double>();

    private static TensorDataset Plain() =>
        new("plain",
        [
            ("inputs", Tensor.From([.. Enumerable.Range(0, 60).Select(i => i / 4f)], 10, 3, 2)),
            ("targets", Tensor.From([.. Enumerable.Range(0, 10).Select(i => (long)i)])),
            ("seen", Tensor.From([.. Enumerable.Range(0, 10).Select(i => i % 3 == 0)])),
        ]);

    private static NpyDataset OnDisk(string folder)
    {
        var plain = Plain();
        (string Name, string Path)[] files =
            [.. plain.Fields.Select(field => (field.Name, Path.Combine(folder, field.Name + ".npy")))];
        foreach (var (name, path) in files) NpyFile.Save(path, plain[name]);
        return new("disk", files);
    }
}
