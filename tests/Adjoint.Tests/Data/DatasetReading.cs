using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Reads samples of classes as arrays.</summary>
internal static class DatasetReading
{
    internal static float[] Sample(this Dataset data, int index) => data[index][Field.Inputs].ToArray<float>();

    internal static long[] Labels(this Dataset data) =>
        [.. Enumerable.Range(0, data.Count).Select(index => data[index][Field.Targets].Item<long>())];
}
