using System.Globalization;

namespace Adjoint.Training;

/// <summary>The state of a run as tensors and short texts, by name: what a checkpoint holds.</summary>
public sealed class TrainingState
{
    private readonly Dictionary<string, Tensor> tensors;
    private readonly Dictionary<string, string> notes;

    /// <summary>An empty state.</summary>
    public TrainingState() : this(new Dictionary<string, Tensor>(), new Dictionary<string, string>()) { }

    /// <summary>A state that was written.</summary>
    public TrainingState(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> notes) => (this.tensors, this.notes) = (new(tensors), new(notes));

    /// <summary>All tensors: part/name.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => tensors;

    /// <summary>All texts.</summary>
    public IReadOnlyDictionary<string, string> Notes => notes;

    /// <summary>Adds the tensors of a part, such as the model.</summary>
    public void Add(string part, IReadOnlyDictionary<string, Tensor> values)
    {
        foreach (var (name, value) in values) tensors[$"{part}/{name}"] = value;
    }

    /// <summary>Sets a text.</summary>
    public void Set(string name, string text) => notes[name] = text;

    /// <summary>Sets numbers, exactly.</summary>
    public void Set(string name, params ReadOnlySpan<double> numbers) => notes[name] = Text(numbers);

    /// <summary>The tensors of a part, by their names in it.</summary>
    public IReadOnlyDictionary<string, Tensor> Part(string part) =>
        tensors.Where(entry => entry.Key.StartsWith(part + "/", StringComparison.Ordinal)).ToDictionary(entry => entry.Key[(part.Length + 1)..], entry => entry.Value);

    /// <summary>A text.</summary>
    /// <exception cref="AdjointException">There is none of that name.</exception>
    public string Text(string name) => notes.TryGetValue(name, out var text) ? text : throw new AdjointException($"TrainingState: no entry '{name}'; was it saved by a trainer with the same callbacks?");

    /// <summary>A number.</summary>
    /// <exception cref="AdjointException">There is none of that name.</exception>
    public double Number(string name) => Numbers(name, 1)[0];

    /// <summary>A whole number, such as a count.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="most">The largest that it may be; the least is 0.</param>
    /// <exception cref="AdjointException">There is none of that name, or not in this range.</exception>
    public int Whole(string name, int most = int.MaxValue) => Whole(name, Number(name), most);

    /// <summary>As many numbers.</summary>
    /// <exception cref="AdjointException">There are none of that name, or not as many.</exception>
    public double[] Numbers(string name, int count) => Numbers(name, Text(name), count);

    internal static string Text(params ReadOnlySpan<double> numbers) => string.Join(' ', numbers.ToArray().Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    internal static int Whole(string name, double number, int most) =>
        number >= 0 && number <= most && number == Math.Floor(number)
            ? (int)number
            : throw new AdjointException(
                $"TrainingState: entry '{name}' must be a whole number from 0 to {most}: found {number}");

    internal static double[] Numbers(string name, string text, int count)
    {
        var numbers = text.Split(' ').Select(word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (double?)number : null).ToArray();
        return numbers.Length == count && numbers.All(number => number is not null)
            ? [.. numbers.Select(number => number!.Value)]
            : throw new AdjointException($"TrainingState: entry '{name}' must be {count} numbers: found '{text}'");
    }
}
