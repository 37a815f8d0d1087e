using System.Globalization;
using System.Text.Json;

namespace Adjoint.Nn;

/// <summary>
/// What a module was made with, by name: see <see cref="ISavableModule{TSelf}"/>. In a file the settings are untrusted:
/// what is missing, of another kind or outside of its range is refused with the name of module and setting.
/// </summary>
public sealed class ModuleSettings
{
    private readonly string type;
    private readonly OrderedDictionary<string, object> values = [];
    private readonly OrderedDictionary<string, Module> modules = [];
    private readonly HashSet<string> unread = [];

    internal ModuleSettings(string type) => this.type = type;

    /// <summary>The modules that the module was given, by name, in order.</summary>
    public IReadOnlyList<(string Name, Module Value)> Modules
    {
        get
        {
            unread.ExceptWith(modules.Keys);
            return [.. modules.Select(entry => (entry.Key, entry.Value))];
        }
    }

    /// <summary>Writes a number, which keeps its bits.</summary>
    /// <param name="name">The name of the setting, unique in its module.</param>
    /// <param name="value">A finite number.</param>
    /// <exception cref="AdjointException">The name is taken, or the number is not finite.</exception>
    public void Set(string name, double value)
    {
        if (!double.IsFinite(value))
            throw new AdjointException($"{type}: setting '{name}' must be a finite number to be saved: found {value}");
        Add(name, value);
    }

    /// <summary>Writes a truth value.</summary>
    /// <param name="name">The name of the setting, unique in its module.</param>
    /// <param name="value">The truth value to write.</param>
    /// <exception cref="AdjointException">The name is taken.</exception>
    public void Set(string name, bool value) => Add(name, value);

    /// <summary>Writes a text.</summary>
    /// <param name="name">The name of the setting, unique in its module.</param>
    /// <param name="value">The text to write.</param>
    /// <exception cref="AdjointException">The name is taken.</exception>
    public void Set(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Add(name, value);
    }

    /// <summary>Writes a list of integers, such as sizes.</summary>
    /// <param name="name">The name of the setting, unique in its module.</param>
    /// <param name="values">The integers in order.</param>
    /// <exception cref="AdjointException">The name is taken.</exception>
    public void Set(string name, IEnumerable<int> values) =>
        Add(name, values.Select(value => (double)value).ToArray());

    /// <summary>
    /// Writes a module that the constructor was given, and which this module has as a child of that name. One that
    /// stands in several places is written once, and is one again when loaded.
    /// </summary>
    /// <param name="name">The name of the child.</param>
    /// <param name="module">The module itself.</param>
    /// <exception cref="AdjointException">The name is taken.</exception>
    public void Set(string name, Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        if (!modules.TryAdd(name, module)) throw Taken(name);
        unread.Add(name);
    }

    /// <summary>
    /// Whether there is a setting or module of that name: one that came later is missing in older files.
    /// </summary>
    /// <param name="name">The name to look for.</param>
    /// <returns>Whether it can be read.</returns>
    public bool Has(string name) => values.ContainsKey(name) || modules.ContainsKey(name);

    /// <summary>Reads an integer.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <param name="min">The smallest valid value.</param>
    /// <param name="max">The largest valid value.</param>
    /// <returns>The integer that was written.</returns>
    /// <exception cref="AdjointException">It is missing, or no integer of that range.</exception>
    public int Integer(string name, int min = 0, int max = int.MaxValue) =>
        Value(name) is double number && IsInteger(number, min, max)
            ? (int)number
            : throw Wrong(name, Range("an integer", min, max));

    /// <summary>Reads a list of integers.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <param name="min">The smallest valid value of each.</param>
    /// <param name="max">The largest valid value of each.</param>
    /// <returns>The integers that were written, in order.</returns>
    /// <exception cref="AdjointException">It is missing, or no list of integers of that range.</exception>
    public int[] Integers(string name, int min = 0, int max = int.MaxValue) =>
        Value(name) is double[] numbers && numbers.All(number => IsInteger(number, min, max))
            ? Array.ConvertAll(numbers, number => (int)number)
            : throw Wrong(name, Range("a list of integers, each", min, max));

    /// <summary>Reads a number.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <returns>The number that was written, with its bits; it is finite.</returns>
    /// <exception cref="AdjointException">It is missing, or no number.</exception>
    public double Number(string name) => Value(name) is double number ? number : throw Wrong(name, "a number");

    /// <summary>Reads a truth value.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <returns>The truth value that was written.</returns>
    /// <exception cref="AdjointException">It is missing, or no truth value.</exception>
    public bool Flag(string name) => Value(name) is bool flag ? flag : throw Wrong(name, "true or false");

    /// <summary>Reads a text.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <returns>The text that was written.</returns>
    /// <exception cref="AdjointException">It is missing, or no text.</exception>
    public string Text(string name) => Value(name) is string text ? text : throw Wrong(name, "a text");

    /// <summary>Reads a module that the constructor takes.</summary>
    /// <typeparam name="T">What it must be, such as <see cref="Layer"/>.</typeparam>
    /// <param name="name">The name of the child.</param>
    /// <returns>The module, made again.</returns>
    /// <exception cref="AdjointException">It is missing, or of another type.</exception>
    public T Module<T>(string name) where T : Module
    {
        if (!modules.TryGetValue(name, out var module))
            throw new AdjointException($"{type}: module '{name}' is missing");
        unread.Remove(name);
        return module as T
            ?? throw new AdjointException(
                $"{type}: module '{name}' must be a {typeof(T).Name}: found a {module.TypeName}");
    }

    /// <summary>Writes a height and a width.</summary>
    internal void SetSize(string name, Size2 value) => Set(name, [value.Height, value.Width]);

    internal Size2 Size(string name, int min = 0) =>
        Integers(name, min) is [var height, var width] ? (height, width) : throw Wrong(name, "a height and a width");

    internal T[] ModulesOf<T>() where T : Module => [.. modules.Keys.ToArray().Select(Module<T>)];

    /// <summary>The names of settings that nobody has asked for.</summary>
    internal IEnumerable<string> Unread => unread;

    /// <summary>Reads settings, as <see cref="Write"/> wrote them.</summary>
    internal void Read(JsonElement json)
    {
        foreach (var member in json.EnumerateObject())
            Add(member.Name, member.Value.ValueKind switch
            {
                JsonValueKind.True or JsonValueKind.False => member.Value.GetBoolean(),
                JsonValueKind.String => member.Value.GetString()!,
                JsonValueKind.Number => Finite(member.Value),
                JsonValueKind.Array => member.Value.EnumerateArray().Select(Finite).ToArray(),
                var kind => throw new AdjointException(
                    $"{type}: setting '{member.Name}' must be a number, a truth value, a text or a list of integers: "
                    + $"found {kind}"),
            });

        double Finite(JsonElement value) => value.GetDouble() is var number && double.IsFinite(number)
            ? number
            : throw new AdjointException($"{type}: a setting must be a finite number: found {value.GetRawText()}");
    }

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var (name, value) in values)
        {
            json.WritePropertyName(name);
            switch (value)
            {
                case bool flag: json.WriteBooleanValue(flag); break;
                case string text: json.WriteStringValue(text); break;
                case double number: json.WriteNumberValue(number); break;
                case double[] numbers:
                    json.WriteStartArray();
                    foreach (var one in numbers) json.WriteNumberValue(one);
                    json.WriteEndArray();
                    break;
            }
        }
        json.WriteEndObject();
    }

    internal bool IsEmpty => values.Count == 0;

    /// <summary>The modules that the module was given.</summary>
    internal IEnumerable<KeyValuePair<string, Module>> Given => modules;

    private void Add(string name, object value)
    {
        if (!values.TryAdd(name, value)) throw Taken(name);
        unread.Add(name);
    }

    private object Value(string name)
    {
        if (!values.TryGetValue(name, out var value))
            throw new AdjointException($"{type}: setting '{name}' is missing");
        unread.Remove(name);
        return value;
    }

    private static bool IsInteger(double number, int min, int max) =>
        number >= min && number <= max && number == Math.Floor(number);

    private static string Range(string kind, int min, int max) =>
        max == int.MaxValue ? $"{kind} from {min} on" : $"{kind} from {min} to {max}";

    private AdjointException Taken(string name) =>
        new($"{type}: there is a setting '{name}' already; give this one another name");

    private AdjointException Wrong(string name, string expected) => new(
        $"{type}: setting '{name}' must be {expected}: found "
        + values[name] switch
        {
            double[] numbers => $"[{string.Join(", ", numbers.Take(8).Select(Invariant))}"
                + $"{(numbers.Length > 8 ? ", …" : "")}]",
            double number => Invariant(number),
            bool flag => flag ? "true" : "false",
            var text => $"'{Shortened((string)text)}'",
        });

    private static string Invariant(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
