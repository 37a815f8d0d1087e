using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Data sets made of others: Subset, Concat, Map.</summary>
public class DatasetViewTests
{
    [Fact]
    public void A_subset_has_the_samples_of_its_positions()
    {
        var part = Numbers("all", 0, 10).Subset(7, 1, 7);
        Assert.Equal([7f, 1, 7], Values(part));
        Assert.Equal([7f, 7, 1], part.Load(0, 2, 1).Inputs.ToArray<float>());
        Assert.Equal([7f, 1, 7], part.Column("inputs").ToArray<float>());
        Assert.Equal("Dataset all: there is no sample 10; use 0..9",
            Assert.Throws<AdjointException>(() => Numbers("all", 0, 10).Subset(3, 10)).Message);
        Assert.Equal("Dataset all: there is no sample -1; use 0..2",
            Assert.Throws<AdjointException>(() => part.Load(-1)).Message);
        Assert.Equal((0, 0), (Numbers("all", 0, 10).Subset().Count, Numbers("all", 0, 10).Subset().Load().Count));
    }

    [Fact]
    public void A_concatenation_has_the_samples_of_all_in_their_order()
    {
        var all = new ConcatDataset("both", Numbers("none", 0, 0), Numbers("a", 0, 3), Numbers("none", 0, 0),
            Numbers("none", 0, 0), Numbers("b", 10, 2), Numbers("none", 0, 0));
        Assert.Equal([0f, 1, 2, 10, 11], Values(all));
        Assert.Equal([0f, 1, 2, 10, 11], all.Column("inputs").ToArray<float>());
        Assert.Equal([11f, 0, 10], all.Load(4, 0, 3).Inputs.ToArray<float>());
        Assert.Equal([11f, 10], all.Load(4, 3).Inputs.ToArray<float>());
        Assert.Equal((0, 1), (all.Load().Count, all.Fields[0].Shape.Elements));
        Assert.Equal(["x", "y"], all.ClassNames);
        Assert.Equal([5f, 6, 0], Values(Numbers("c", 5, 2).Concat(Numbers("d", 0, 1))));
        Assert.Throws<AdjointException>(() => all[5]);
    }

    [Fact]
    public void Data_sets_that_differ_are_not_concatenated()
    {
        string Fails(Dataset other) => Assert.Throws<AdjointException>(() => Numbers("a", 0, 2).Concat(other)).Message;
        Assert.Equal("Dataset a: fields of b and a differ: found inputs, found, expected inputs, targets; bring them "
            + "to one form with Map", Fails(new TensorDataset("b", [("inputs", Tensor.Zeros(2)),
                ("found", Tensor.Zeros(2))])));
        Assert.Contains("the field 'targets' of b and a differ: found float32, expected int64",
            Fails(new TensorDataset("b", [("inputs", Tensor.Zeros(2)), ("targets", Tensor.Zeros(2))])),
            StringComparison.Ordinal);
        Assert.Contains("the field 'inputs' of b and a differ: found (3",
            Fails(new TensorDataset("b", [("inputs", Tensor.Zeros(2, 3)), ("targets", Tensor.From([1L, 2]))])),
            StringComparison.Ordinal);
        Assert.Contains("classes of b and a differ: found p, q, expected x, y",
            Fails(new TensorDataset("b", [("inputs", Tensor.Zeros(2)), ("targets", Tensor.From([1L, 2]))], ["p", "q"])),
            StringComparison.Ordinal);
        Assert.Contains("at least one data set",
            Assert.Throws<AdjointException>(() => new ConcatDataset("none")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Map_changes_samples_as_they_are_read_and_gives_new_fields()
    {
        var calls = 0;
        var data = Numbers("numbers", 0, 6).Map(sample =>
        {
            calls++;
            sample["square"] = sample["inputs"] * sample["inputs"];
            sample["targets"] = sample["targets"].To(DType.Float32);
            return sample;
        });
        Assert.Equal(0, calls);
        Assert.Equal(("numbers", 6), (data.Name, data.Count));
        Assert.Equal(["inputs", "targets", "square"], data.Fields.Select(field => field.Name));
        Assert.Equal(DType.Float32, data.FieldOf("targets").DType);
        Assert.Equal([4f, 25], data.Load(2, 5)["square"].ToArray<float>());
        Assert.Equal(["x", "y"], data.ClassNames);
        Assert.Equal([0f, 1, 2, 3, 4, 5], Values(Numbers("numbers", 0, 6)));
        Assert.Contains("Map gave null for sample 0; return a sample",
            Assert.Throws<AdjointException>(() => Numbers("numbers", 0, 1).Map(_ => null!)[0]).Message,
            StringComparison.Ordinal);
    }

    [Theory, InlineData(0, 1), InlineData(2, 1), InlineData(4, 3)]
    public void What_a_user_throws_comes_out_as_it_is_with_the_samples_position(int prefetch, int workers)
    {
        var data = Numbers("numbers", 0, 20).Map(sample => sample["inputs"].Item() == 13
            ? throw new InvalidTimeZoneException("thirteen")
            : sample);
        var loader = new DataLoader(data.Concat(data), 4, new() { Prefetch = prefetch, Workers = workers });
        var seen = 0;
        var error = Assert.Throws<InvalidTimeZoneException>(() =>
        {
            foreach (var batch in loader) seen += batch.Count;
        });
        Assert.Equal(("thirteen", "numbers[13]", 12), (error.Message, error.Data[DataLoader.SampleKey], seen));
    }

    private static TensorDataset Numbers(string name, int first, int count) =>
        new(name,
        [
            ("inputs", Tensor.From([.. Enumerable.Range(first, count).Select(i => (float)i)])),
            ("targets", Tensor.From([.. Enumerable.Range(first, count).Select(i => (long)i % 2)])),
        ], ["x", "y"]);

    private static float[] Values(Dataset data) =>
        [.. Enumerable.Range(0, data.Count).Select(i => data[i]["inputs"].Item<float>())];
}
