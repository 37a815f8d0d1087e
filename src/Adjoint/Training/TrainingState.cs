using System.Globalization;

namespace Adjoint.Training;

/// <summary>The state of a run as tensors and short texts, by name: the contents of a checkpoint.</summary>
public sealed class TrainingState
{
    private readonly Dictionary<string, Tensor> tensors;
    private readonly Dictionary<string, string> notes;

    /// <summary>Creates an empty state.</summary>
    public TrainingState() : this(new Dictionary<string, Tensor>(), new Dictionary<string, string>()) { }

    /// <summary>Creates a state from tensors and texts that were saved.</summary>
    /// <param name="tensors">The tensors, by name.</param>
    /// <param name="notes">The texts, by name.</param>
    public TrainingState(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> notes) =>
        (this.tensors, this.notes) = (new(tensors), new(notes));

    /// <summary>All tensors, by names of the form part/name.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => tensors;

    /// <summary>All texts, by name.</summary>
    public IReadOnlyDictionary<string, string> Notes => notes;

    /// <summary>Adds the tensors of a part, such as the model.</summary>
    /// <param name="part">The name of the part.</param>
    /// <param name="values">The tensors, by name.</param>
    public void Add(string part, IReadOnlyDictionary<string, Tensor> values)
    {
        foreach (var (name, value) in values) tensors[$"{part}/{name}"] = value;
    }

    /// <summary>Sets a text, which is stored as it is.</summary>
    /// <param name="name">The name of the text.</param>
    /// <param name="text">The text to store.</param>
    public void Set(string name, string text) => notes[name] = text;

    /// <summary>Sets numbers, which are stored exactly.</summary>
    /// <param name="name">The name of the numbers.</param>
    /// <param name="numbers">The numbers to store.</param>
    public void Set(string name, params ReadOnlySpan<double> numbers) => notes[name] = Text(numbers);

    /// <summary>The tensors of a part, by their names in it.</summary>
    /// <param name="part">The name of the part.</param>
    /// <returns>The tensors; empty where there is no such part.</returns>
    public IReadOnlyDictionary<string, Tensor> TensorsOf(string part) =>
        tensors.Where(entry => entry.Key.StartsWith(part + "/", StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[(part.Length + 1)..], entry => entry.Value);

    /// <summary>Reads a text by name.</summary>
    /// <param name="name">The name of the text.</param>
    /// <returns>The text that was set.</returns>
    /// <exception cref="AdjointException">There is no text of that name.</exception>
    public string Text(string name) => notes.TryGetValue(name, out var text)
        ? text
        : throw new AdjointException(
            $"TrainingState: no entry '{name}'; was it saved by a trainer with the same callbacks?");

    /// <summary>Reads a number by name.</summary>
    /// <param name="name">The name of the number.</param>
    /// <returns>The number that was set.</returns>
    /// <exception cref="AdjointException">There is no number of that name.</exception>
    public double Number(string name) => Numbers(name, 1)[0];

    /// <summary>Reads an integer by name, such as a count.</summary>
    /// <param name="name">The name of the number.</param>
    /// <param name="max">The largest valid value; the smallest is 0.</param>
    /// <returns>The integer that was set.</returns>
    /// <exception cref="AdjointException">There is no number of that name, or it is not in this range.</exception>
    public int Integer(string name, int max = int.MaxValue) => Integer(name, Number(name), max);

    /// <summary>Reads a list of numbers by name.</summary>
    /// <param name="name">The name of the numbers.</param>
    /// <param name="count">How many numbers there must be.</param>
    /// <returns>The numbers that were set.</returns>
    /// <exception cref="AdjointException">There are no numbers of that name, or not as many.</exception>
    public double[] Numbers(string name, int count) => Numbers(name, Text(name), count);

    internal static string Text(params ReadOnlySpan<double> numbers) =>
        string.Join(' ', numbers.ToArray().Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    internal static int Integer(string name, double number, int max) =>
        number >= 0 && number <= max && number == Math.Floor(number)
            ? (int)number
            : throw new AdjointException(
                $"TrainingState: entry '{name}' must be a whole number from 0 to {max}: found {number}");

    internal static double[] Numbers(string name, string text, int count)
    {
        var numbers = text.Split(' ')
            .Select(word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? (double?)number
                : null).ToArray();
        return numbers.Length == count && numbers.All(number => number is not null)
            ? [.. numbers.Select(number => number!.Value)]
            : throw new AdjointException($"TrainingState: entry '{name}' must be {count} numbers: found '{text}'");
    }
}
