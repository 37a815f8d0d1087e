using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>What holds of every data set: the properties of each row of <see cref="DatasetCases"/>.</summary>
public sealed class DatasetCasesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Names() => [.. DatasetCases.All.Select(row => row.Name)];

    [Fact]
    public void Every_data_set_has_a_row()
    {
        var loading =
            from type in typeof(Dataset).Assembly.GetExportedTypes()
            where type.IsSubclassOf(typeof(FormalLanguage)) || type.IsAbstract && type.IsSealed
                && type.GetMethods().Any(method => method.IsStatic && method.ReturnType == typeof(DataSplits))
            select type.Name;
        var rows = DatasetCases.All.SelectMany(row => row.Name.Split(", "));
        var missing = loading.Concat(RemoteDataset.All.Select(set => set.Name)).Except(rows);
        Assert.True(!missing.Any(),
            $"{string.Join(", ", missing)}: add a row to tests/Adjoint.Tests/Data/DatasetCases.cs");
    }

    [Theory, MemberData(nameof(Names))]
    public void Parts_have_the_counts_shapes_classes_and_values_of_the_row(string name)
    {
        var row = DatasetCases.All.Single(row => row.Name == name);
        var splits = row.Load(folder);
        Assert.Equal(row.Counts, (splits.Train.Count, splits.Validation.Count, splits.Test?.Count ?? -1));
        foreach (var part in (Dataset?[])[splits.Train, splits.Validation, splits.Test])
        {
            if (part is null) continue;
            Assert.Equal((Shape)row.Sample, part.SampleShape);
            Assert.Equal(row.Classes, part.ClassNames.Count);
            Assert.Distinct(part.ClassNames);
            var (inputs, labels) = new DataLoader(part, 8).First();
            Assert.Equal((Shape)(int[])[8, .. row.Sample], inputs.Shape);
            Assert.Equal(part[7][Field.Inputs].To(DType.Float64).ToArray<double>(), inputs[7].To(DType.Float64)
                .ToArray<double>());
            if (row.Classes == 0) continue;
            var all = part.Labels();
            for (var i = 0; i < Math.Min(part.Count, 100); i++)
            {
                Assert.InRange(all[i], 0, row.Classes - 1);
                if (row.Value is { } value) Assert.Equal(value((int)all[i]), part.Sample(i)[0], 1e-6);
            }
            Assert.Equal(all[7], labels.ItemAt(7));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Loading_it_again_gives_the_same(string name)
    {
        var row = DatasetCases.All.Single(row => row.Name == name);
        var (one, other) = (row.Load(folder).Train, row.Load(folder).Train);
        for (var i = 0; i < one.Count; i++)
            foreach (var (field, value) in one[i])
                Assert.Equal(value.To(DType.Float64).ToArray<double>(), other[i][field].To(DType.Float64)
                    .ToArray<double>());
    }
}
