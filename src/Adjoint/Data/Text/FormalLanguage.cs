using System.Runtime.InteropServices;

namespace Adjoint.Data;

/// <summary>
/// A language whose strings follow a grammar and are made on the spot, so that it is known at each place which symbols
/// can come next. Where there is exactly one, the place is determined: a model that has learned the grammar is right
/// there, and one that has learned only how often symbols follow each other is not.
/// </summary>
public abstract class FormalLanguage
{
    /// <summary>The end of a string, one symbol of every language: a line's.</summary>
    public const char End = '\n';

    // One string in ten is for validation.
    private const ulong Parts = 10;

    private protected FormalLanguage(string name, string symbols) => (Name, Symbols) = (name, symbols);

    /// <summary>The name of the language, such as <c>brackets</c>.</summary>
    public string Name { get; }

    /// <summary>The symbols of its strings, each once, without <see cref="End"/>.</summary>
    public string Symbols { get; }

    /// <summary>
    /// The symbols that can come next, by the grammar alone, not by which strings are for validation.
    /// </summary>
    /// <param name="prefix">The beginning of a string, without <see cref="End"/>; it may be empty.</param>
    /// <returns>
    /// Each symbol once, <see cref="End"/> among them where the string may end; empty where no string begins so.
    /// </returns>
    public abstract string Next(ReadOnlySpan<char> prefix);

    /// <summary>
    /// Whether a string is for validation, as one in ten is, by a hash of its symbols: so no number of samples, and no
    /// seed, brings a string of the one part into the other.
    /// </summary>
    /// <param name="text">The whole string, without <see cref="End"/>.</param>
    /// <returns>Whether it is for validation; if not, it is for training.</returns>
    public static bool IsForValidation(ReadOnlySpan<char> text)
    {
        // FNV-1a, whose low bits are those of the symbols; therefore the final mix of MurmurHash3.
        var hash = 0xCBF29CE484222325;
        foreach (var symbol in text) hash = (hash ^ symbol) * 0x100000001B3;
        hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
        hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
        return (hash ^ hash >> 33) % Parts == 0;
    }

    /// <summary>
    /// Makes windows of strings for next-token prediction. Each begins with a string, followed by further ones, all
    /// drawn at random, each with <see cref="End"/> behind it; the last is cut off where the window ends. Fields are
    /// <see cref="Field.Inputs"/> and <see cref="Field.Targets"/>, the same tokens one place on, int64 (length), and
    /// <see cref="Field.Determined"/>, whether the grammar leaves exactly one choice for the target, bool (length).
    /// </summary>
    /// <param name="length">The number of tokens in a window, 1 or more.</param>
    /// <param name="seed">The seed; equal seeds give equal strings.</param>
    /// <param name="train">The number of training windows, 1 or more.</param>
    /// <param name="validation">The number of validation windows, 1 or more.</param>
    /// <returns>
    /// Training and validation windows, without a string in common, which keep the tokens as a
    /// <see cref="CharacterText"/>.
    /// </returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public DataSplits Create(int length = 64, ulong seed = 0, int train = 8192, int validation = 1024)
    {
        if (length < 1 || train < 1 || validation < 1)
            throw new AdjointException(
                $"{Name}: the length of windows and their numbers must be positive: found {length}, {train} and "
                + $"{validation}");
        var text = CharacterText.Fit(Symbols, $"{End}");
        return new(Part(text, length, seed, train, isForValidation: false),
            Part(text, length, seed, validation, isForValidation: true), null);
    }

    /// <summary>Draws a string at random.</summary>
    /// <param name="random">Where all chance comes from.</param>
    /// <returns>The whole string, without <see cref="End"/>.</returns>
    private protected abstract string Draw(ref SampleRandom random);

    private TensorDataset Part(CharacterText text, int length, ulong seed, int count, bool isForValidation)
    {
        var inputs = Tensor.Empty([count, length], DType.Int64, Device.Cpu);
        var targets = Tensor.Empty([count, length], DType.Int64, Device.Cpu);
        var determined = Tensor.Empty([count, length], DType.Bool, Device.Cpu);
        var x = inputs.Data<long>();
        var y = targets.Data<long>();
        var isDetermined = determined.Data<bool>();
        var window = new List<char>();
        for (var row = 0; row < count; row++)
        {
            var random = new SampleRandom(seed, isForValidation ? 1 : 0, row, SampleRandom.OfLanguages);
            window.Clear();
            while (window.Count <= length)
            {
                var drawn = Draw(ref random);
                if (IsForValidation(drawn) == isForValidation) window.AddRange($"{drawn}{End}");
            }
            var (tokens, start) = (text.Encode(string.Concat(window)), 0);
            for (var i = 0; i < length; i++)
            {
                if (window[i] == End) start = i + 1;
                var at = row * length + i;
                (x[at], y[at]) = (tokens[i], tokens[i + 1]);
                isDetermined[at] = Next(CollectionsMarshal.AsSpan(window)[start..(i + 1)]).Length == 1;
            }
        }
        return new(Name, [(Field.Inputs, inputs), (Field.Targets, targets), (Field.Determined, determined)])
        {
            Preprocessing = text,
        };
    }
}
