using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Adjoint.Optim;

namespace Adjoint.SystemTests.Samples;

/// <summary>
/// A run of a program whose captured functions are run eagerly, or are captured; notes the bits of all that a call can
/// change: results, and what the function refers to, parameters, gradients, buffers, optimizers, generators.
/// </summary>
internal sealed class Watch(bool isCaptured, int calls = int.MaxValue, bool withHalves = false)
{
    private readonly List<(string What, ulong Bits)> seen = [];
    private readonly List<IWatched> functions = [];
    private readonly List<int> done = [];

    /// <summary>The run in progress.</summary>
    internal static Watch? Current { get; set; }

    internal IReadOnlyList<(string What, ulong Bits)> Seen => seen;

    internal IReadOnlyList<IWatched> Functions => functions;

    internal bool IsCaptured => isCaptured;

    /// <summary>Whether each third call is followed by one with half of the rows.</summary>
    internal bool WithHalves => withHalves;

    /// <summary>
    /// Runs a program to its end, or until it has called each of its functions so often; returns what it printed.
    /// </summary>
    internal string Run(Func<string> program)
    {
        (Current, Generator.Default) = (this, new(0));
        try
        {
            return program();
        }
        catch (EnoughException)
        {
            return "";
        }
        finally
        {
            Current = null;
        }
    }

    internal int Add(IWatched function)
    {
        functions.Add(function);
        done.Add(0);
        return functions.Count - 1;
    }

    internal void NoteCall(int function, IEnumerable<Tensor> results, object? target)
    {
        if (calls == int.MaxValue) return;
        var call = $"call {++done[function]} of function {function}:";
        foreach (var (i, result) in results.Index()) Note($"{call} result {i}", result);
        Note($"{call} Generator.Default", Generator.Default);
        NoteFields(call, target, []);
        if (done[function] % 7 == 0)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        if (done.All(count => count >= calls)) throw new EnoughException();
    }

    private void NoteFields(string path, object? holder, HashSet<object> met)
    {
        if (holder is null || !met.Add(holder)) return;
        foreach (var field in holder.GetType().GetFields(
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            NoteValue($"{path} {field.Name}", field.GetValue(holder), met);
    }

    private void NoteValue(string path, object? value, HashSet<object> met)
    {
        switch (value)
        {
            case Tensor tensor:
                Note(path, tensor);
                break;
            case Adjoint.Nn.Module module:
                foreach (var (name, parameter) in module.NamedParameters()) Note($"{path}.{name}", parameter);
                foreach (var (name, buffer) in module.NamedBuffers()) Note($"{path}.{name}", buffer);
                foreach (var (name, generator) in module.NamedGenerators()) Note($"{path}.{name}", generator);
                break;
            case Optimizer optimizer:
                Note($"{path}.LearningRate", BitConverter.GetBytes(optimizer.LearningRate));
                foreach (var (name, state) in optimizer.StateDict()) Note($"{path}.{name}", state);
                break;
            case Generator generator:
                Note(path, generator);
                break;
            case IEnumerable values and not string:
                foreach (var (i, element) in values.Cast<object?>().Index()) NoteValue($"{path}[{i}]", element, met);
                break;
            case { } other when IsOfTheProgram(other.GetType()):
                NoteFields(path, other, met);
                break;
        }
    }

    private static bool IsOfTheProgram(Type type) => type.IsClass && type.BaseType != typeof(MulticastDelegate)
        && (type.IsDefined(typeof(CompilerGeneratedAttribute)) || type.Assembly.GetName().Name == "gallery");

    private void Note(string what, Generator generator) => Note(what, BitConverter.GetBytes(generator.Position));

    private void Note(string what, Tensor tensor)
    {
        Note(what, Bytes(tensor));
        if (tensor.PresentGrad is { } gradient) Note($"{what}.Grad", Bytes(gradient));

        static ReadOnlySpan<byte> Bytes(Tensor tensor)
        {
            using var _ = new NoGrad();
            var copy = tensor.Detach().Clone();
            var bytes = copy.Bytes.ToArray();
            GC.KeepAlive(copy);
            return bytes;
        }
    }

    private void Note(string what, ReadOnlySpan<byte> bytes) =>
        seen.Add((what, BitConverter.ToUInt64(SHA256.HashData(bytes))));

    private sealed class EnoughException : Exception;
}
