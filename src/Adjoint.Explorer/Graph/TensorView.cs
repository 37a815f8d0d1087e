using System.Globalization;
using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>
/// What the page gets of a tensor: a summary always; all elements where they are few; else means of blocks for a heat
/// map, pictures where the axes are those of images or filters, and a histogram. So the answer's size does not grow
/// with the tensor's.
/// </summary>
internal static class TensorView
{
    /// <summary>Up to so many elements are sent as they are.</summary>
    internal const int FullUpTo = 1024;

    private const int MostCells = 64;
    private const int MostPictures = 48;
    private const int MostPixels = 1 << 17;

    internal static void Write(Utf8JsonWriter json, Tensor tensor)
    {
        var values = ToDoubles(tensor);
        var summary = TensorSummary.Of(values);
        json.WriteStartObject();
        json.WriteNumbers("shape", [.. tensor.Shape]);
        json.WriteString("dtype", tensor.DType.Label());
        WriteSummary(json, summary);
        WriteCells(json, tensor, values);
        if (HasPictures(tensor.Shape))
        {
            json.WritePropertyName("pictures");
            WritePictures(json, tensor.Shape, values, summary, 0);
        }
        if (values.Length > 1 && double.IsFinite(summary.Minimum))
            json.WriteNumbers("histogram", summary.Histogram(values));
        json.WriteEndObject();
    }

    /// <summary>All elements where they are few; else means of blocks.</summary>
    internal static void WriteCells(Utf8JsonWriter json, Tensor tensor, double[] values)
    {
        if (values.Length <= FullUpTo) WriteElements(json, "values", values, tensor.DType);
        else WriteBlocks(json, tensor.Shape, values);
    }

    /// <summary>The elements in row-major order.</summary>
    internal static double[] ToDoubles(Tensor tensor) => tensor.Detach().To(DType.Float64).ToArray<double>();

    internal static void WriteSummary(Utf8JsonWriter json, TensorSummary summary)
    {
        json.WriteStartObject("summary");
        json.WriteNumber("count", summary.Count);
        json.WriteReal("minimum", summary.Minimum);
        json.WriteReal("mean", summary.Mean);
        json.WriteReal("maximum", summary.Maximum);
        json.WriteReal("norm", summary.Norm);
        json.WriteNumber("zeros", summary.Zeros);
        json.WriteNumber("nans", summary.NaNs);
        json.WriteNumber("infinities", summary.Infinities);
        json.WriteEndObject();
    }

    // Single and half precision are written in their own shortest digits: 0.1, not 0.10000000149011612.
    internal static void WriteElements(Utf8JsonWriter json, string name, double[] values, DType dtype)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            if (!double.IsFinite(value)) json.WriteStringValue(JsonNumbers.Name(value));
            else
                switch (dtype)
                {
                    case DType.Float32: json.WriteNumberValue((float)value); break;
                    case DType.BFloat16: json.WriteRawValue(((BFloat16)value).ToString()); break;
                    case DType.Float16:
                        json.WriteRawValue(((Half)value).ToString(CultureInfo.InvariantCulture));
                        break;
                    default: json.WriteNumberValue(value); break;
                }
        json.WriteEndArray();
    }

    // Rows: all axes but the last. A vector is folded into a square.
    private static void WriteBlocks(Utf8JsonWriter json, Shape shape, double[] values)
    {
        var columns = shape.Rank > 1 ? shape[-1] : (int)Math.Ceiling(Math.Sqrt(values.Length));
        if (columns < 8 && shape.Rank > 2) columns *= shape[-2];
        var rows = (values.Length + columns - 1) / columns;
        var (down, across) = (Math.Min(rows, MostCells), Math.Min(columns, MostCells));
        var (sums, counts) = (new double[down * across], new int[down * across]);
        for (var row = 0; row < rows; row++)
        {
            var line = (int)((long)row * down / rows) * across;
            for (var column = 0; column < columns && row * columns + column < values.Length; column++)
            {
                var value = values[row * columns + column];
                if (!double.IsFinite(value)) continue;
                var cell = line + (int)((long)column * across / columns);
                sums[cell] += value;
                counts[cell]++;
            }
        }
        json.WriteStartObject("blocks");
        json.WriteNumber("rows", rows);
        json.WriteNumber("columns", columns);
        json.WriteNumber("down", down);
        json.WriteNumber("across", across);
        json.WriteStartArray("means");
        for (var i = 0; i < sums.Length; i++)
            json.WriteReal(counts[i] == 0 ? double.NaN : (float)(sums[i] / counts[i]));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Only the pictures of a tensor, from one on.</summary>
    /// <exception cref="NotThereException">It has none, or not so many.</exception>
    internal static void WritePictures(Utf8JsonWriter json, Tensor tensor, int from)
    {
        if (!HasPictures(tensor.Shape)) throw new NotThereException($"a tensor of {tensor.Shape} has no pictures");
        var values = ToDoubles(tensor);
        WritePictures(json, tensor.Shape, values, TensorSummary.Of(values), from);
    }

    internal static bool HasPictures(Shape shape) => shape.Rank == 4 && shape.Elements > 0 && shape[2] * shape[3] > 1;

    // One picture a sample where there are three channels, else one a channel. Bytes: 0 is the minimum, 255 the
    // maximum.
    internal static void WritePictures(Utf8JsonWriter json, Shape shape, double[] values, TensorSummary summary,
        int from)
    {
        var channels = shape[1] == 3 ? 3 : 1;
        var (height, width) = (shape[2], shape[3]);
        var step = 1;
        while ((height / step) * (width / step) > 4096) step++;
        var (small, narrow) = (Math.Max(1, height / step), Math.Max(1, width / step));
        var total = shape[0] * shape[1] / channels;
        if (from < 0 || from >= total)
            throw new NotThereException($"there is no picture {from}; there are {total}, from 0");
        var page = Math.Min(MostPictures, Math.Max(1, MostPixels / (small * narrow * channels)));
        var count = Math.Min(total - from, page);
        var bytes = new byte[count * channels * small * narrow];
        var scale = summary.Maximum > summary.Minimum ? 255 / (summary.Maximum - summary.Minimum) : 0;
        for (int i = from * channels, to = 0; i < (from + count) * channels; i++)
            for (var row = 0; row < small; row++)
                for (var column = 0; column < narrow; column++, to++)
                {
                    var value = values[(i * height + row * step) * width + column * step];
                    bytes[to] = double.IsFinite(value) ? (byte)Math.Round((value - summary.Minimum) * scale) : (byte)0;
                }
        json.WriteStartObject();
        json.WriteNumber("from", from);
        json.WriteNumber("page", page);
        json.WriteNumber("step", step);
        json.WriteNumber("count", count);
        json.WriteNumber("total", total);
        json.WriteNumber("perSample", shape[1] / channels);
        json.WriteNumber("channels", channels);
        json.WriteNumber("height", small);
        json.WriteNumber("width", narrow);
        json.WriteReal("minimum", summary.Minimum);
        json.WriteReal("maximum", summary.Maximum);
        json.WriteBase64String("bytes", bytes);
        json.WriteEndObject();
    }
}
