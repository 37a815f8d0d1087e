using System.Globalization;
using System.Text;

namespace Adjoint.Nn;

/// <summary>A module as a table: its parts, what comes out of them, how many parameters they have.</summary>
internal static class ModuleSummary
{
    /// <summary>The table, with output shapes where a call is given in which they are seen.</summary>
    internal static string Of(Module module, Action? call)
    {
        var parts = Parts(module, "").ToArray();
        var outputs = call is null ? null : OutputsOf([module, .. parts.Select(part => part.Module)], call);
        var counted = new HashSet<Tensor>();
        var rows = new List<(string Part, string Output, long Count)>();
        foreach (var (path, part) in parts)
        {
            var shared = part.Parameters().Any(counted.Contains) ? " (shared)" : "";
            var count = Count(part.Parameters().Where(counted.Add));
            rows.Add(($"{path} {part}{shared}", OutputOf(part), count));
        }
        var own = module.NamedParameters().Where(parameter => counted.Add(parameter.Value)).ToArray();
        if (parts.Length == 0) rows.Add((module.ToString()!, OutputOf(module), Count(module.Parameters())));
        // What comes out of a sequence is what comes out of its last layer.
        else if (own.Length > 0 || module is not Sequential && outputs is not null)
            rows.Add((
                $"itself {string.Join(", ", own.Select(parameter => parameter.Name))}".TrimEnd(), OutputOf(module),
                Count(own.Select(parameter => parameter.Value))));
        rows.Add(("total", "", Count(module.Parameters())));
        return Text(rows, hasOutputs: outputs is not null);

        string OutputOf(Module part) => outputs is null ? ""
            : !outputs.TryGetValue(part, out var shapes) ? "not called"
            : shapes.Count > 1 ? shapes.Dequeue() : shapes.Peek();
    }

    // Lists and dictionaries compute nothing: what is in them does.
    private static IEnumerable<(string Path, Module Module)> Parts(Module module, string path) =>
        module.Children.SelectMany(child => child.Value.IsContainer
            ? Parts(child.Value, $"{path}{child.Name}.")
            : [($"{path}{child.Name}", child.Value)]);

    // In the order of the calls: that is the order of the places where one part stands in several.
    private static Dictionary<Module, Queue<string>> OutputsOf(IEnumerable<Module> modules, Action call)
    {
        var outputs = new Dictionary<Module, Queue<string>>();
        IDisposable[] hooks = [.. modules.Distinct().Select(module => module.RegisterForwardHook((part, _, all) =>
        {
            if (!outputs.TryGetValue(part, out var shapes)) outputs[part] = shapes = [];
            shapes.Enqueue(string.Join(", ", all.Select(output => output.Shape)));
            return null;
        }))];
        try
        {
            using var use = modules.First().EvalScope();
            using var recording = new NoGrad();
            call();
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
        }
        return outputs;
    }

    private static long Count(IEnumerable<Tensor> parameters) => parameters.Sum(parameter => (long)parameter.Length);

    private static string Text(List<(string Part, string Output, long Count)> rows, bool hasOutputs)
    {
        var wide = Math.Max("layer".Length, rows.Max(row => row.Part.Length));
        var middle = Math.Max("output".Length, rows.Max(row => row.Output.Length));
        var text = new StringBuilder();
        Line("layer", "output", "parameters");
        foreach (var (part, output, count) in rows)
            Line(part, output, count.ToString("N0", CultureInfo.InvariantCulture).PadLeft("parameters".Length));
        if (!hasOutputs)
            text.AppendLine("what comes out depends on the call: Summary(() => model.Forward(…)) shows it");
        return text.ToString();

        void Line(string part, string output, string count)
        {
            text.Append(part.PadRight(wide)).Append("  ");
            if (hasOutputs) text.Append(output.PadRight(middle)).Append("  ");
            text.AppendLine(count);
        }
    }
}
