using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Experiments;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>
/// Writes predictions: CSV with the class and its probability, or all values by name; or an object of all that is known
/// of a sample in each line.
/// </summary>
internal sealed class PredictionWriter(TextWriter output, string keyName, bool asJson)
{
    private bool hasHead;

    internal void Write(IReadOnlyList<string> keys, Prediction prediction)
    {
        if (asJson)
            for (var i = 0; i < keys.Count; i++) output.WriteLine(Json(keys[i], prediction, i));
        else WriteCsv(keys, prediction);
    }

    private void WriteCsv(IReadOnlyList<string> keys, Prediction prediction)
    {
        if (prediction.Names.Count == 0)
            throw new AdjointException(
                $"the model gives values {prediction.Values.Shape}, which do not fit the cells of a table; use --json");
        string[] heads = prediction.HasClasses ? ["class", "probability"] : [.. prediction.Names];
        if (!hasHead) output.WriteLine(string.Join(',', heads.Prepend(keyName).Select(CsvCell.Text)));
        hasHead = true;
        for (var i = 0; i < keys.Count; i++)
        {
            output.Write(CsvCell.Text(keys[i]));
            if (prediction.HasClasses)
            {
                var best = prediction.ClassOf(i);
                output.Write($",{CsvCell.Text(prediction.Names[best])},{Number(prediction, i, best)}");
            }
            else
            {
                for (var column = 0; column < heads.Length; column++)
                    output.Write($",{Number(prediction, i, column)}");
            }
            output.WriteLine();
        }
    }

    // With the digits that its type has.
    private static string Number(Prediction prediction, int sample, int column)
    {
        var value = prediction.ValueOf(sample, column);
        return prediction.Values.DType == DType.Float64
            ? value.ToString(CultureInfo.InvariantCulture)
            : ((float)value).ToString(CultureInfo.InvariantCulture);
    }

    private string Json(string key, Prediction prediction, int sample)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                json.WriteNumber(keyName, number);
            else json.WriteString(keyName, key);
            json.WritePropertyName("prediction");
            prediction.Write(json, sample);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
