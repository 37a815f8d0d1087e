using System.Globalization;
using System.Numerics;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// What a pickle holds as named tensors and texts: keys of nested dictionaries and indices of lists are joined with
/// dots. Values may be used in several places of a pickle, even within themselves, so that a small one can mean
/// endlessly many: names and texts are bounded by its length.
/// </summary>
internal sealed class PyTorchState
{
    private const int MostDepth = 100;
    private const int LettersPerByte = 64, SpareLetters = 1 << 16;
    private const int VisitsPerByte = 16, SpareVisits = 1 << 10;

    private readonly string path;
    private readonly HashSet<string> names = [];
    private readonly Dictionary<string, string> identities = [];
    private readonly List<TensorEntry> entries = [];
    private readonly Dictionary<string, PyTorchTensor> tensors = [];
    private readonly Dictionary<string, string> metadata = [];
    private long letters, visits;

    private PyTorchState(string path, long bytes) =>
        (this.path, letters, visits) = (path, LettersPerByte * bytes + SpareLetters, VisitsPerByte * bytes
            + SpareVisits);

    /// <summary>The tensors in the order of the pickle.</summary>
    internal IReadOnlyList<TensorEntry> Entries => entries;

    /// <summary>Where the elements of each lie, by name.</summary>
    internal IReadOnlyDictionary<string, PyTorchTensor> Tensors => tensors;

    /// <summary>Numbers, texts, truth values and lists of them, as texts.</summary>
    internal IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>Names what a pickle holds.</summary>
    /// <param name="root">What it holds.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="bytes">The length of the pickle.</param>
    /// <exception cref="DataFormatException">Two have one name, or it is nested too deeply.</exception>
    internal static PyTorchState Of(object? root, string path, long bytes)
    {
        var state = new PyTorchState(path, bytes);
        // A value by itself has no name in the file.
        if (root is PickleDict or PickleList or object?[]) state.Add("", root, 0);
        else state.Add("value", root, 0);
        return state;
    }

    private void Add(string name, object? value, int depth)
    {
        Visit(name, depth);
        switch (value)
        {
            case PyTorchTensor tensor: AddTensor(name, tensor); break;
            case PickleDict dictionary:
                foreach (var (key, item) in dictionary.Items)
                    Add(Join(name, depth, KeyOf(key, name)), item, depth + 1);
                break;
            case PyTorchStorageView:
                throw Wrong($"a storage without a tensor at {name}", "tensors; in Python: save the tensor itself");
            case PickleList or object?[] when !IsPlain(value, depth):
                var index = 0;
                foreach (var item in ItemsOf(value))
                    Add(Join(name, depth, index++.ToString(CultureInfo.InvariantCulture)), item, depth + 1);
                break;
            default:
                var text = new StringBuilder();
                Write(text, value);
                Claim(name);
                metadata[name] = value as string ?? text.ToString();
                break;
        }
    }

    private void AddTensor(string name, PyTorchTensor tensor)
    {
        Claim(name);
        string? first = null;
        if (tensor.Length > 0 && !identities.TryAdd(tensor.Identity, name)) first = identities[tensor.Identity];
        entries.Add(new(name, tensor.Type.Name, tensor.Type, tensor.Sizes, tensor.Bytes) { SharesWith = first });
        tensors.Add(name, tensor);
    }

    private string Join(string name, int depth, string key)
    {
        SpendLetters(name.Length + key.Length + 1);
        return depth == 0 ? key : $"{name}.{key}";
    }

    private void Claim(string name)
    {
        if (!names.Add(name))
            throw Wrong($"two values called {name}, once their keys are joined with dots",
                "one of each name; in Python: "
                + "rename one, or save the dictionary that has the tensors by itself");
    }

    private string KeyOf(object? key, string name) => key switch
    {
        string text => text,
        null or bool or long or BigInteger or double => Scalar(key),
        _ => throw Wrong($"a key of a dictionary that is no text, in '{name}'",
            "texts and numbers; in Python: save the "
            + "dictionary that has the tensors by itself"),
    };

    // A list of values alone is one text.
    private bool IsPlain(object? value, int depth)
    {
        Visit("", depth);
        return value is PickleList or object?[]? ItemsOf(value).All(item => IsPlain(item, depth + 1))
            : value is not (PickleDict or PyTorchTensor or PyTorchStorageView);
    }

    private static IReadOnlyList<object?> ItemsOf(object? value) =>
        value is PickleList list ? list.Items : (object?[])value!;

    private void Write(StringBuilder text, object? value)
    {
        if (value is PickleList or object?[])
        {
            text.Append('[');
            var separator = "";
            foreach (var item in ItemsOf(value))
            {
                text.Append(separator);
                separator = ", ";
                Write(text, item);
            }
            text.Append(']');
            return;
        }
        var part = value as string ?? Scalar(value);
        SpendLetters(part.Length + 2);
        text.Append(part);
    }

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        byte[] bytes => $"{bytes.Length} bytes",
        PickleGlobal global => global.Name,
        PickleNumpyType type => type.Name,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"PyTorchState: {value.GetType().Name}"),
    };

    private void Visit(string name, int depth)
    {
        if (depth > MostDepth)
            throw Wrong($"values nested deeper than {MostDepth}, or within themselves, at {name}",
                "a state dictionary; "
                + Unpickler.Remedy);
        if (--visits < 0) throw Wrong("the same values over and over", $"a state dictionary; {Unpickler.Remedy}");
    }

    private void SpendLetters(int number)
    {
        if ((letters -= number) < 0)
            throw Wrong("names or texts far longer than the file", $"a state dictionary; {Unpickler.Remedy}");
    }

    private DataFormatException Wrong(string found, string expected) => new(
        $"{path}: found {DataFormatException.Abbreviate(found)}, expected {expected}");
}
