namespace Adjoint.Data;

/// <summary>Splits a data set by the values of one of its fields.</summary>
internal static class FieldSplit
{
    /// <summary>The positions of each part, as the options say.</summary>
    internal static SplitIndices Choose(Dataset data, int validation, int test, SplitOptions options)
    {
        string?[] fields = [options.Stratify, options.Group, options.Time];
        if (fields.Count(field => field is not null) > 1)
            throw new AdjointException(
                $"Split: of Stratify, Group and Time at most one is possible: found "
                + $"{string.Join(" and ", fields.Where(field => field is not null))}; choose one");
        try
        {
            if (options.Stratify is { } stratify) return ByValues(data, stratify, validation, test, options.Seed);
            if (options.Group is { } group)
                return SplitIndices.ByGroup(Integers(data, group, "Group"), validation, test, options.Seed);
            if (options.Time is { } time)
                return SplitIndices.ByTime(Numbers(data, time, "Time"), validation, test);
            return SplitIndices.Random(data.Count, validation, test, options.Seed);
        }
        catch (AdjointException error) when (error.Message.StartsWith("Split: ", StringComparison.Ordinal))
        {
            throw new AdjointException($"Dataset {data.Name}: {error.Message}");
        }
    }

    private static SplitIndices ByValues(Dataset data, string field, int validation, int test, ulong seed)
    {
        var (shape, type) = (data.FieldOf(field).Shape, data.FieldOf(field).DType);
        if (shape.Rank == 1)
            return SplitIndices.StratifiedByLabels(Labels(data, field), validation, test, seed);
        if (type.IsFloating())
            return SplitIndices.Stratified(
                SplitIndices.Quantiles(Numbers(data, field, "Stratify")), validation, test, seed);
        var values = Integers(data, field, "Stratify");
        if (data.ClassNames.Count == 0 || field != Field.Targets)
            return SplitIndices.Stratified(values, validation, test, seed);
        string Name(long label) => label >= 0 && label < data.ClassNames.Count
            ? $"{label} ({data.ClassNames[(int)label]})"
            : $"{label}";
        return SplitIndices.Stratified(Array.ConvertAll(values, Name), validation, test, seed);
    }

    private static long[] Integers(Dataset data, string field, string option)
    {
        var (shape, type) = (data.FieldOf(field).Shape, data.FieldOf(field).DType);
        return shape.Rank == 0 && !type.IsFloating()
            ? data.Column(field).To(DType.Int64).ToArray<long>()
            : throw Wrong(option, "integers, one per sample", field, shape, type);
    }

    private static double[] Numbers(Dataset data, string field, string option)
    {
        var (shape, type) = (data.FieldOf(field).Shape, data.FieldOf(field).DType);
        return shape.Rank == 0
            ? data.Column(field).To(DType.Float64).ToArray<double>()
            : throw Wrong(option, "numbers, one per sample", field, shape, type);
    }

    private static int[][] Labels(Dataset data, string field)
    {
        var values = data.Column(field).To(DType.Float32);
        var (all, width) = (values.ToArray<float>(), values.Shape[1]);
        return
        [
            .. Enumerable.Range(0, data.Count).Select(sample =>
                Enumerable.Range(0, width).Where(label => all[sample * width + label] > 0.5f).ToArray()),
        ];
    }

    private static AdjointException Wrong(string option, string expected, string field, Shape shape, DType type) =>
        new($"Split: {option} takes a field of {expected}: found {field} {shape} {type.Label()}; name another field");
}
