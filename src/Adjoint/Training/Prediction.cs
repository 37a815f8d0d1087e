using System.Globalization;
using System.Text.Json;

namespace Adjoint.Training;

/// <summary>
/// What a <see cref="Predictor"/> says of a batch: raw outputs, probabilities or values, and their names.
/// </summary>
public sealed class Prediction
{
    // The probability from which on a label of several is taken to hold.
    private const double Threshold = 0.5;

    private readonly bool isOfLabels;
    private readonly Lazy<double[]> values;

    internal Prediction(Tensor outputs, LearningTask? task, IReadOnlyList<string> names)
    {
        Outputs = outputs;
        Values = task?.Predict(outputs) ?? outputs;
        (HasClasses, isOfLabels) = (task is ClassificationTask, task is MultiLabelTask);
        Names = names.Count == Columns || Columns == 0
            ? names
            : [.. Enumerable.Range(0, Columns).Select(column => column.ToString(CultureInfo.InvariantCulture))];
        values = new(() => Values.Detach().To(DType.Float64).ToArray<double>());
    }

    /// <summary>The raw outputs of the model, such as logits (n, classes).</summary>
    public Tensor Outputs { get; }

    /// <summary>What the task makes of them: probabilities (n, classes), or values (n) or (n, k).</summary>
    public Tensor Values { get; }

    /// <summary>The names of the columns of <see cref="Values"/>; the columns' numbers where they have none.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of samples.</summary>
    public int Count => Values.Rank == 0 ? 1 : Values.Shape[0];

    /// <summary>Whether each sample is of one class: see <see cref="ClassOf"/>.</summary>
    public bool HasClasses { get; }

    // Of values (n) one; 0 where there are more axes than columns.
    private int Columns => Values.Rank switch { <= 1 => 1, 2 => Values.Shape[1], _ => 0 };

    /// <summary>The class of a sample: that of the largest output.</summary>
    /// <param name="sample">The position of the sample, from 0 on.</param>
    /// <returns>The number of the class, from 0 on; its name is that of <see cref="Names"/>.</returns>
    /// <exception cref="AdjointException">There is no such sample, or the task has no classes.</exception>
    public int ClassOf(int sample)
    {
        if (!HasClasses || Columns == 0)
            throw new AdjointException("Prediction: the task has no classes; its values are in Values");
        Require(sample);
        // Of the raw outputs: probabilities may be equal where these are not.
        return (int)Outputs.Detach().Select(0, sample).ArgMax().Item();
    }

    /// <summary>A value of a sample, such as the probability of a class.</summary>
    /// <param name="sample">The position of the sample, from 0 on.</param>
    /// <param name="column">The column, from 0 on.</param>
    /// <returns>The value, as a float64.</returns>
    /// <exception cref="AdjointException">There is no such sample or column, or the values have more axes.</exception>
    public double ValueOf(int sample, int column = 0)
    {
        Require(sample);
        if ((uint)column >= (uint)Columns)
            throw new AdjointException($"Prediction: there is no column {column} in values {Values.Shape}");
        return values.Value[sample * Columns + column];
    }

    /// <summary>
    /// Writes a sample as a JSON object: <c>class</c>, <c>probability</c> and <c>probabilities</c> by name for classes,
    /// <c>labels</c> and <c>probabilities</c> for several labels, else the values by their names.
    /// </summary>
    /// <param name="json">The writer to write to.</param>
    /// <param name="sample">The position of the sample, from 0 on.</param>
    public void Write(Utf8JsonWriter json, int sample)
    {
        Require(sample);
        json.WriteStartObject();
        if (Columns == 0)
        {
            json.WriteStartArray("values");
            var length = Values.Length / Count;
            foreach (var value in values.Value.AsSpan(sample * length, length)) WriteNumber(json, value);
            json.WriteEndArray();
        }
        else if (HasClasses)
        {
            var best = ClassOf(sample);
            json.WriteString("class", Names[best]);
            json.WritePropertyName("probability");
            WriteNumber(json, ValueOf(sample, best));
            WriteColumns("probabilities");
        }
        else if (isOfLabels)
        {
            json.WriteStartArray("labels");
            for (var column = 0; column < Columns; column++)
                if (ValueOf(sample, column) >= Threshold) json.WriteStringValue(Names[column]);
            json.WriteEndArray();
            WriteColumns("probabilities");
        }
        else
        {
            WriteEach();
        }
        json.WriteEndObject();

        void WriteColumns(string name)
        {
            json.WriteStartObject(name);
            WriteEach();
            json.WriteEndObject();
        }

        void WriteEach()
        {
            for (var column = 0; column < Columns; column++)
            {
                json.WritePropertyName(Names[column]);
                WriteNumber(json, ValueOf(sample, column));
            }
        }
    }

    // With the digits that its type has.
    private void WriteNumber(Utf8JsonWriter json, double value)
    {
        if (!double.IsFinite(value)) json.WriteNullValue();
        else if (Values.DType == DType.Float64) json.WriteNumberValue(value);
        else json.WriteNumberValue((float)value);
    }

    private void Require(int sample)
    {
        if ((uint)sample >= (uint)Count)
            throw new AdjointException($"Prediction: there is no sample {sample} among {Count}; they count from 0");
    }
}
